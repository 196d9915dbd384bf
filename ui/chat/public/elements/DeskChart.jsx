import { useEffect, useRef, useState } from 'react';

const Chart = window.desk.component('DeskChart', () => {
  const { get, plotly, isDark, onTheme } = window.desk;
  const CONFIG = {
    displaylogo: false,
    responsive: true,
    scrollZoom: false,
    modeBarButtons: [['toImage'], ['pan2d', 'zoom2d', 'zoomIn2d', 'zoomOut2d', 'resetScale2d']],
  };

  function address(artifact, dark) {
    const asked = new URL(artifact.url || '/', location.origin).searchParams;
    const query = new URLSearchParams({ dark: dark ? '1' : '0' });
    for (const name of ['symbol', 'timeframe', 'as_of', 'limit']) {
      const value = asked.get(name) || artifact[name];
      if (value) query.set(name, value);
    }
    return `/desk/figure?${query}`;
  }

  return function Chart({ artifact }) {
    const box = useRef(null);
    const [dark, setDark] = useState(isDark());
    const [facts, setFacts] = useState([]);
    const [problem, setProblem] = useState(null);
    const [attempt, setAttempt] = useState(0);
    const [busy, setBusy] = useState(true);

    useEffect(() => onTheme(setDark), []);

    useEffect(() => {
      let gone = false;
      const node = box.current;
      setBusy(true);
      (async () => {
        try {
          const { body } = await get(address(artifact, dark));
          const library = await plotly(body.plotly);
          if (gone) return;
          // The box keeps the figure's height by itself, or a resize would let the next message slide under it.
          node.style.height = `${body.figure.layout.height}px`;
          await library.react(node, body.figure.data, body.figure.layout, { ...CONFIG, displayModeBar: node.clientWidth > 520 ? 'hover' : false });
          setFacts(body.facts);
          setProblem(null);
        } catch (error) {
          if (!gone) setProblem(error);
        } finally {
          if (!gone) setBusy(false);
        }
      })();
      return () => { gone = true; };
    }, [artifact.url, dark, attempt]);

    useEffect(() => () => { if (window.Plotly && box.current) window.Plotly.purge(box.current); }, []);

    return (
      <figure className="desk-chart" aria-busy={busy}>
        <div className="desk-chart-box" ref={box} role="img" aria-label={facts.join(' ') || artifact.title} hidden={Boolean(problem)} />
        {busy && !facts.length ? <p className="desk-note" role="status">Drawing {artifact.title}…</p> : null}
        {problem ? (
          <p className="desk-problem" role="alert">
            <b>The chart could not be drawn.</b> {problem.message} {problem.remedy}{' '}
            <button type="button" className="desk-chip" onClick={() => setAttempt(attempt + 1)}>Try again</button>
          </p>
        ) : null}
        {facts.length ? (
          <figcaption>
            <details className="desk-facts">
              <summary>The chart in words</summary>
              <ul>{facts.map((fact) => <li key={fact}>{fact}</li>)}</ul>
            </details>
          </figcaption>
        ) : null}
      </figure>
    );
  };
});

export default <Chart artifact={props.artifact} />;
