import { useEffect, useRef, useState } from 'react';

const Chart = window.desk.component('DeskChart', () => {
  const { get, plotly, isDark, onTheme } = window.desk;
  const CONFIG = {
    displaylogo: false,
    responsive: true,
    scrollZoom: false,
    modeBarButtons: [['toImage'], ['pan2d', 'zoom2d', 'zoomIn2d', 'zoomOut2d', 'resetScale2d']],
  };

  // Below this width, in pixels, a chart shows fewer candles and words.
  const NARROW = 640;

  function address(artifact, dark, narrow) {
    const asked = new URL(artifact.url || '/', location.origin).searchParams;
    const query = new URLSearchParams({ dark: dark ? '1' : '0', narrow: narrow ? '1' : '0' });
    for (const name of ['symbol', 'timeframe', 'as_of', 'limit']) {
      const value = asked.get(name) || artifact[name];
      if (value) query.set(name, value);
    }
    return `/desk/figure?${query}`;
  }

  /** What can be shown and hidden, by name; the choice made so far goes before the figure's own. */
  function layersOf(figure, chosen) {
    const layers = {};
    for (const trace of figure.data) {
      const name = trace.legendgroup;
      if (!name) continue;
      if (name in chosen) trace.visible = chosen[name] ? true : 'legendonly';
      layers[name] = trace.visible === true;
    }
    return layers;
  }

  return function Chart({ artifact }) {
    const box = useRef(null);
    const chosen = useRef({});
    const [dark, setDark] = useState(isDark());
    const [narrow, setNarrow] = useState(innerWidth < NARROW);
    const [layers, setLayers] = useState({});
    const [facts, setFacts] = useState([]);
    const [problem, setProblem] = useState(null);
    const [attempt, setAttempt] = useState(0);
    const [busy, setBusy] = useState(true);

    useEffect(() => onTheme(setDark), []);

    useEffect(() => {
      const observer = new ResizeObserver(([entry]) => { if (entry.contentRect.width) setNarrow(entry.contentRect.width < NARROW); });
      observer.observe(box.current.parentElement);
      return () => observer.disconnect();
    }, []);

    useEffect(() => {
      let gone = false;
      const node = box.current;
      setBusy(true);
      (async () => {
        try {
          const { body } = await get(address(artifact, dark, narrow));
          const library = await plotly(body.plotly);
          if (gone) return;
          // The box keeps the figure's height by itself, or a resize would let the next message slide under it.
          node.style.height = `${body.figure.layout.height}px`;
          const found = layersOf(body.figure, chosen.current);
          await library.react(node, body.figure.data, body.figure.layout, { ...CONFIG, displayModeBar: narrow ? false : 'hover' });
          setLayers(found);
          setFacts(body.facts);
          setProblem(null);
        } catch (error) {
          if (!gone) setProblem(error);
        } finally {
          if (!gone) setBusy(false);
        }
      })();
      return () => { gone = true; };
    }, [artifact.url, dark, narrow, attempt]);

    function toggle(name, on) {
      chosen.current[name] = on;
      setLayers({ ...layers, [name]: on });
      const rows = box.current.data.flatMap((trace, row) => (trace.legendgroup === name ? [row] : []));
      window.Plotly.restyle(box.current, { visible: on ? true : 'legendonly' }, rows);
    }

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
            <details className="desk-facts desk-layers">
              <summary>What the chart shows</summary>
              <div role="group" aria-label="Parts of the chart">
                {Object.entries(layers).map(([name, on]) => (
                  <label key={name}>
                    <input type="checkbox" checked={on} onChange={(event) => toggle(name, event.target.checked)} /> {name}
                  </label>
                ))}
              </div>
            </details>
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
