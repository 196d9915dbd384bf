const Receipts = window.desk.component('DeskReceipts', () => {
  const { minute } = window.desk;

  function settings(source) {
    const entries = Object.entries({ ...source.arguments, ...source.parameters })
      .filter(([name]) => name !== 'symbol' && name !== 'timeframe');
    return entries.map(([name, value]) => `${name.replaceAll('_', ' ')} ${typeof value === 'object' ? JSON.stringify(value) : value}`).join(', ');
  }

  return function Receipts({ receipts, message }) {
    return (
      <details className="desk-receipts">
        <summary>{receipts.length === 1 ? '1 receipt' : `${receipts.length} receipts`}: where the figures come from</summary>
        <ol>
          {receipts.map((receipt) => {
            const source = receipt.source;
            const parameters = settings(source);
            return (
              <li key={receipt.n} id={`receipt-${message}-${receipt.n}`} value={receipt.n}>
                <div className="desk-receipt-head">
                  <span className="desk-receipt-n">[{receipt.n}]</span> <b>{receipt.text}</b> {receipt.label}
                </div>
                <dl>
                  <dt>Tool</dt><dd>{source.tool}</dd>
                  <dt>Market</dt><dd>{source.market}{source.simulated ? ' (simulated)' : ''}</dd>
                  {source.symbol ? <><dt>Symbol</dt><dd>{source.symbol} {source.timeframe || ''}</dd></> : null}
                  <dt>{source.timeframe ? 'Candle closed' : 'As of'}</dt><dd>{minute(source.as_of)}</dd>
                  {parameters ? <><dt>Parameters</dt><dd>{parameters}</dd></> : null}
                  <dt>Evidence</dt><dd>{source.evidence}.{source.field}</dd>
                </dl>
              </li>
            );
          })}
        </ol>
      </details>
    );
  };
});

export default <Receipts receipts={props.receipts} message={props.message} />;
