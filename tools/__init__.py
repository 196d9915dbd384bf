"""LangChain tools: parse the arguments, call one engine, answer compactly."""
