"""The LangGraph desk: supervisor, specialists, order desk, the person, execution."""
