import { useCallback, useEffect, useId, useRef, useState } from 'react';

const TicketCard = window.desk.component('TicketCard', () => {
  const { get, number, quantity, money, clock, minute, sentence, decider, exit } = window.desk;
  const FINAL = new Set(['filled', 'cancelled', 'rejected', 'expired', 'superseded', 'denied', 'rejected_by_venue', 'not_accepted']);
  const WORDS = {
    pending: 'waits for you',
    approved: 'approved',
    submitting: 'being sent',
    accepted: 'resting at the venue',
    partially_filled: 'partly filled',
    filled: 'filled',
    cancelled: 'cancelled',
    rejected: 'rejected by you',
    expired: 'expired',
    superseded: 'replaced',
    denied: 'denied on re-check',
    rejected_by_venue: 'rejected by the venue',
    unknown: 'outcome unknown, being looked up',
    not_accepted: 'not accepted by the venue',
    needs_operator: 'needs an operator',
  };
  const GOOD = { GTC: 'until cancelled', IOC: 'at once; what does not fill is cancelled', FOK: 'at once and whole, or not at all', DAY: 'today' };
  const FIELDS = [
    ['quantity', 'Quantity', () => true],
    ['limit_price', 'Limit price', (ticket) => ticket.order_type === 'limit'],
    ['stop_price', 'Stop price', (ticket) => ticket.order_type === 'stop'],
    ['stop_loss', 'Stop-loss', (ticket) => ticket.side === 'buy' || !ticket.reduce_only],
    ['take_profit', 'Take-profit', (ticket) => ticket.side === 'buy' || !ticket.reduce_only],
  ];

  const LIMITS = {
    trading: 'market is open', restricted: 'restricted symbols', rules_age: 'age of trading rules', quote_age: 'age of the price',
    price_gap: 'last trade from the middle', price_collar: 'price from the market', reduce_only: 'only reduces', largest_size: 'market’s largest order',
    order_notional: 'value of one order', order_fraction: 'share of equity in one order', symbol_exposure: 'held of this symbol',
    account_exposure: 'held in all', day_notional: 'bought today', balance: 'free balance', self_trade: 'own orders it would meet',
  };
  const limitName = (check) => LIMITS[check.name] || check.name.replaceAll('_', ' ');
  const EXITS = { desk: 'guarded by this desk, only while it runs; the venue cannot hold them', venue: 'held and watched by the venue, as soon as this order fills' };
  // The paper venue is part of the desk: it watches nothing while the desk is off.
  function exits(ticket) {
    const [paper, any] = [ticket.mode === 'paper', ticket.stop_loss || ticket.take_profit];
    return any && paper && ticket.exits_held_by !== 'desk'
      ? 'held by the paper venue as soon as this order fills; watched only while this desk runs' : EXITS[ticket.exits_held_by];
  }

  // A comma is taken only where it can be nothing but a thousands separator: `0,05` must not become 5.
  const bare = (text) => String(text || '').trim().replace(/^\d{1,3}(,\d{3})+(?=\.|$)/, (whole) => whole.replaceAll(',', ''));
  const same = (a, b) => quantity(bare(a)) === quantity(bare(b));
  const currencies = (ticket) => ticket.symbol.split(':')[0].split('/');

  function headline(ticket) {
    const [base] = currencies(ticket);
    if (ticket.kind === 'cancel') {
      return `Cancel ${ticket.cancels.length === 1 ? 'one order' : `${ticket.cancels.length} orders`} on ${ticket.symbol}`;
    }
    const price = ticket.limit_price ? `limit ${number(ticket.limit_price)}` : ticket.stop_price ? `stop ${number(ticket.stop_price)}` : 'market';
    const verb = ticket.side === 'buy' ? 'Buy' : 'Sell';
    return `${verb} ${quantity(ticket.quantity)} ${base} at ${price}`;
  }

  function outcome(ticket) {
    const order = ticket.order;
    const [base] = currencies(ticket);
    const said = [];
    if (ticket.decided_at) {
      const verb = { rejected: 'Rejected', superseded: 'Edited' }[ticket.status] || 'Approved';
      said.push(`${verb} at ${clock(ticket.decided_at)}${ticket.decided_by ? ` by ${decider(ticket)}` : ''}.`);
    }
    if (order && Number(order.filled) > 0) {
      const fees = {};
      order.fills.forEach((fill) => { fees[fill.fee_currency] = (fees[fill.fee_currency] || 0) + Number(fill.fee); });
      const paid = Object.entries(fees).map(([currency, fee]) => `${money(fee)} ${currency}`).join(' and ');
      const whole = order.status === 'filled' ? '' : ` of ${quantity(order.quantity)}`;
      const rest = order.status === 'partially_filled' ? ', the rest is open' : '';
      said.push(`Filled ${quantity(order.filled)}${whole} ${base} at ${number(order.average_price)} average, fee ${paid}${rest}.`);
      said.push(...(ticket.exits || []).map((each) => exit(each, order)));
    }
    const undone = ticket.status === 'denied' || (ticket.status === 'expired' && ticket.decided_at);
    if (order && order.reason) said.push(sentence(order.reason));
    else if (undone) said.push(`Not carried out: ${sentence(ticket.reason || 'the check right before sending said no')}`);
    else if (ticket.reason && ['unknown', 'needs_operator'].includes(ticket.status)) said.push(sentence(ticket.reason));
    if (order && order.status === 'accepted') said.push('The order rests at the venue and fills when its price is met.');
    if (ticket.status === 'expired' && !undone) said.push(`Nobody decided in time, so nothing was sent. Ask again for a fresh ticket.`);
    if (ticket.status === 'needs_operator') said.push(`Look at the venue for what became of it: until this is settled, new orders on ${ticket.symbol} wait.`);
    if (ticket.status === 'unknown') said.push('It is being looked up by its id and will not be sent again.');
    return said.join(' ');
  }

  function atStake({ stake, symbol }) {
    if (!stake) return '';
    const percent = Number(stake.equity) > 0 ? (Number(stake.loss) / Number(stake.equity)) * 100 : null;
    const share = percent === null ? '' : `, ${percent > 0 && percent < 0.01 ? 'under 0.01' : percent.toFixed(2)} % of the account`;
    return ` · 1R is about ${money(stake.loss)} ${currencies({ symbol })[1]} with fees${share}`;
  }

  function reward({ stake, symbol }) {
    if (!stake || stake.gain === null || !(Number(stake.loss) > 0)) return '';
    const multiple = Number(stake.gain) / Number(stake.loss);
    return ` · ${multiple >= 0 ? '+' : ''}${multiple.toFixed(1)}R, about ${money(stake.gain)} ${currencies({ symbol })[1]}`;
  }

  /** What the desk counted, in whole percent; null where a limit is no amount, and on tickets from before it counted. */
  function used(check) {
    return check.used === null || check.used === undefined ? null : Math.round(Number(check.used));
  }

  function useSeconds(ticket, skew) {
    const left = () => Math.max(0, Math.ceil((Date.parse(ticket.expires_at) - Date.now() - skew) / 1000));
    const [seconds, setSeconds] = useState(left);
    useEffect(() => {
      setSeconds(left());
      if (ticket.status !== 'pending') return undefined;
      const timer = setInterval(() => setSeconds(left()), 250);
      return () => clearInterval(timer);
    }, [ticket.expires_at, ticket.status, skew]);
    return seconds;
  }

  function Countdown({ ticket, seconds }) {
    const whole = Math.max(1, (Date.parse(ticket.expires_at) - Date.parse(ticket.created_at)) / 1000);
    const text = seconds >= 60 ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}` : `${seconds} s`;
    return (
      <div className={`desk-countdown${seconds <= 10 ? ' desk-urgent' : ''}`}>
        <div className="desk-countdown-bar" aria-hidden="true"><div style={{ width: `${Math.min(100, (seconds / whole) * 100)}%` }} /></div>
        <span role="timer" aria-label="Time left to decide">{seconds > 0 ? `${text} left` : 'time is over'}</span>
      </div>
    );
  }

  function Evidence({ confluence }) {
    const pros = confluence.arguments.filter((argument) => argument.weight > 0);
    const cons = confluence.arguments.filter((argument) => argument.weight < 0);
    const score = confluence.score === null ? 'no score' : `${confluence.score > 0 ? '+' : ''}${confluence.score.toFixed(2)}`;
    const leaning = confluence.score >= 0.15 ? 'for this order' : confluence.score <= -0.15 ? 'against this order' : 'mixed';
    const list = (name, items) => (
      <div>
        <h4>{name} ({items.length})</h4>
        {items.length ? <ul>{items.map((item) => <li key={item.text}>{item.text}</li>)}</ul> : <p className="desk-note">nothing found</p>}
      </div>
    );
    return (
      <section aria-label="Evidence">
        <h3>Evidence {score}{confluence.score === null ? '' : `, ${leaning}`}</h3>
        <div className="desk-sides">{list('For', pros)}{list('Against', cons)}</div>
        {confluence.turns?.length ? <p className="desk-note">It would weaken with {confluence.turns.slice(0, 3).join(', or ')}.</p> : null}
        {confluence.missing.map((text) => <p key={text} className="desk-note">Missing: {text}</p>)}
      </section>
    );
  }

  function Limits({ risk, version }) {
    const shares = risk.checks.map((check) => [used(check), check]).filter(([share]) => share !== null);
    const largest = shares.sort((a, b) => b[0] - a[0])[0];
    const cut = risk.checks.filter((check) => check.before !== check.after);
    const summary = risk.outcome === 'approved' ? 'all passed' : risk.outcome;
    return (
      <details className="desk-limits" open={risk.outcome !== 'approved'}>
        <summary>
          <b>Limits</b> {summary}{largest ? `, largest used ${largest[0]} % (${limitName(largest[1])})` : ''}
          {cut.length ? `: quantity cut from ${quantity(cut[0].before)} to ${quantity(cut[cut.length - 1].after)}` : ''}
        </summary>
        <table>
          <thead><tr><th scope="col">Limit</th><th scope="col">Allows</th><th scope="col">With this order</th><th scope="col">Used</th></tr></thead>
          <tbody>
            {risk.checks.map((check) => (
              <tr key={check.name}>
                <th scope="row">{limitName(check)}</th><td>{check.limit}</td><td>{check.value}</td>
                <td>{check.before === check.after ? (used(check) === null ? 'passed' : used(check) === 0 && Number(check.used) > 0 ? 'under 1 %' : `${used(check)} %`) : `cut: ${check.message}`}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <p className="desk-note">Version {version} of the limits</p>
      </details>
    );
  }

  function EditForm({ ticket, busy, onSubmit, onCancel }) {
    const fields = FIELDS.filter(([, , applies]) => applies(ticket));
    const [values, setValues] = useState(() => Object.fromEntries(fields.map(([name]) => [name, ticket[name] || ''])));
    const [error, setError] = useState('');
    const [form, first] = [useRef(null), useRef(null)];
    const id = useId();
    useEffect(() => { first.current?.focus({ preventScroll: true }); first.current?.select(); }, []);
    // The fields are worth little without the buttons under them.
    useEffect(() => { form.current?.scrollIntoView({ block: 'nearest' }); }, [error]);

    function submit(event) {
      event.preventDefault();
      const edits = {};
      for (const [name, label] of fields) {
        const value = bare(values[name]);
        if (!value && ticket[name]) return setError(`${label} cannot be left empty. Reject this ticket and ask again without it.`);
        if (!value || (ticket[name] && same(value, ticket[name]))) continue;
        if (!/^\d+(\.\d+)?$/.test(value) || Number(value) === 0) return setError(`${label} ${JSON.stringify(values[name])} is not a positive number, such as 0.05.`);
        edits[name] = value;
      }
      if (!Object.keys(edits).length) return setError('Nothing is different yet.');
      setError('');
      return onSubmit(edits);
    }

    const [base, quote] = currencies(ticket);
    return (
      <form className="desk-edit" ref={form} onSubmit={submit} noValidate aria-label={`Edit ticket ${ticket.label}`}>
        {fields.map(([name, label], index) => (
          <label key={name} htmlFor={`${id}-${name}`}>
            <span>{label} <span className="desk-note">{name === 'quantity' ? base : quote}</span></span>
            <input id={`${id}-${name}`} name={name} ref={index === 0 ? first : null} inputMode="decimal" autoComplete="off" disabled={busy}
              value={values[name]} onChange={(event) => setValues({ ...values, [name]: event.target.value })} />
          </label>
        ))}
        {error ? <p className="desk-problem" role="alert">{error}</p> : null}
        <p className="desk-note">A changed order is a new ticket that needs its own approval; this one ends.</p>
        <div className="desk-buttons">
          <button type="submit" className="desk-button desk-primary" disabled={busy}>{busy ? 'Making the new ticket…' : 'Make new ticket'}</button>
          <button type="button" className="desk-button" disabled={busy} onClick={onCancel}>Back</button>
        </div>
      </form>
    );
  }

  return function TicketCard({ given, callAction }) {
    const [ticket, setTicket] = useState(given);
    const [skew, setSkew] = useState(0);
    const [fresh, setFresh] = useState(false);
    const [busy, setBusy] = useState('');
    const [problem, setProblem] = useState(null);
    const [editing, setEditing] = useState(false);
    const [resolved, setResolved] = useState(false);
    const inFlight = useRef(false);
    const seconds = useSeconds(ticket, skew);
    const over = ticket.status === 'pending' && seconds <= 0;
    const open = ticket.status === 'pending' && !over;
    const lookAlikes = ticket.look_alikes || [];
    const needsResolve = ticket.differences.length + lookAlikes.length > 0;
    const [base, quote] = currencies(ticket);

    const look = useCallback(async () => {
      try {
        const { body, skew: difference } = await get(`/desk/tickets/${encodeURIComponent(given.id)}`);
        setTicket(body);
        setSkew(difference);
        setFresh(true);
        setProblem((shown) => (shown?.code === 'unreachable' ? null : shown));
      } catch (error) {
        if (error.status !== 404) setProblem({ detail: error.message, remedy: error.remedy, code: 'unreachable' });
      }
    }, [given.id]);

    // The card may have been drawn from a stored message: how it stands now is asked for, again and again while it can change.
    useEffect(() => { look(); }, [look]);
    useEffect(() => {
      if (FINAL.has(ticket.status)) return undefined;
      const timer = setInterval(() => { if (!document.hidden && !inFlight.current) look(); }, over ? 1500 : 4000);
      return () => clearInterval(timer);
    }, [look, ticket.status, over]);
    useEffect(() => { if (over) look(); }, [over, look]);
    const card = useRef(null);
    // A new ticket is worth seeing whole, its buttons above all.
    useEffect(() => {
      if (fresh && open && Date.now() + skew - Date.parse(ticket.created_at) < 20000) {
        card.current?.querySelector('.desk-buttons')?.scrollIntoView({ block: 'nearest' });
      }
    }, [fresh]);
    useEffect(() => { if (!open) setEditing(false); }, [open]);

    async function decide(decision, edits = {}) {
      // State changes on the next render, a second press may come before: the reference decides.
      if (inFlight.current || !open) return;
      inFlight.current = true;
      setBusy(decision);
      setProblem(null);
      try {
        const { response } = await callAction({
          name: 'decide',
          payload: { ticket_id: ticket.id, ticket_hash: ticket.hash, decision, resolve_differences: resolved, ...edits },
        });
        if (response?.problem) {
          setProblem(response.problem);
          if (response.problem.code !== 'unreachable') await look();
        } else if (response?.ticket) {
          setTicket(response.ticket);
          setEditing(false);
        }
      } catch {
        setProblem({
          detail: 'The connection broke before the answer came, so it is not known here whether the decision arrived.',
          remedy: 'The card asks how the ticket stands; a second press cannot send it twice.',
          code: 'unreachable',
        });
        await look();
      } finally {
        inFlight.current = false;
        setBusy('');
      }
    }

    const mayApprove = open && fresh && !busy && (!needsResolve || resolved);

    function onKey(event) {
      if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== 'checkbox') return;
      const key = event.key.toLowerCase();
      if (key === 'a' && mayApprove) decide('approve');
      else if (key === 'e' && open && !busy && ticket.kind === 'order') setEditing(true);
      else if (key === 'r' && open && !busy) decide('reject');
      else if (event.key === 'Escape') setEditing(false);
      else return;
      event.preventDefault();
    }

    const state = over ? 'expired' : ticket.status;
    const done = outcome(over ? { ...ticket, status: 'expired' } : ticket);
    const [low, high] = ticket.price_band;
    const bares = ticket.kind === 'cancel' && ticket.cancelled_words.some((words) => /, stop .*\(protects a position/.test(words));
    return (
      <article className={`desk-ticket desk-state-${state}`} id={`ticket-${ticket.id}`} data-ticket={ticket.label} data-status={state}
        ref={card} tabIndex={0} onKeyDown={onKey} aria-label={`Ticket ${ticket.label}: ${headline(ticket)}, ${WORDS[state] || state}`}>
        <header>
          <span className="desk-ticket-label">{ticket.label}</span>
          <h2>{headline(ticket)}</h2>
          <span className={`desk-status desk-status-${state}`} role="status">{WORDS[state] || state}</span>
        </header>
        <p className="desk-tags">
          <span>{ticket.symbol}</span>
          <span>{ticket.mode} account</span>
          <span>{ticket.market} market</span>
          {ticket.simulated ? <span className="desk-tag-simulated">SIMULATED</span> : null}
          {ticket.reduce_only ? <span>only closes</span> : null}
        </p>
        {done || ticket.superseded_by ? (
          <p className="desk-outcome" role="status">
            {done}{' '}
            {ticket.superseded_by ? <a href={`#ticket-${ticket.superseded_by}`} onClick={(event) => {
              event.preventDefault();
              const next = document.getElementById(`ticket-${ticket.superseded_by}`);
              next?.scrollIntoView({ behavior: 'smooth', block: 'center' });
              next?.focus({ preventScroll: true });
            }}>Open its replacement</a> : null}
          </p>
        ) : null}
        {ticket.kind === 'order' ? (
          <dl className="desk-terms">
            {ticket.replaces_order ? <div className="desk-wide"><dt>Replaces</dt><dd>{ticket.replaced_words} <code>{ticket.replaces_order}</code>, which is cancelled first{Number(ticket.replaced_filled) ? `; ${quantity(ticket.replaced_filled)} ${currencies(ticket)[0]} of it had filled` : ''}. If more of it fills meanwhile, nothing is sent.</dd></div> : null}
            <div className="desk-wide"><dt>Cost</dt><dd>about {money(ticket.notional)} {quote} + {money(ticket.estimated_fee)} {ticket.fee_currency} fee</dd></div>
            {ticket.limit_price ? <div><dt>Limit</dt><dd>{number(ticket.limit_price)} {quote}</dd></div> : null}
            {ticket.stop_price ? <div><dt>Stop</dt><dd>{number(ticket.stop_price)} {quote}</dd></div> : null}
            {ticket.stop_loss ? <div className="desk-wide"><dt>Stop-loss</dt><dd>{number(ticket.stop_loss)} {quote}{atStake(ticket)}{ticket.stop_note ? <p className="desk-note">{ticket.stop_note}</p> : null}</dd></div> : null}
            {ticket.take_profit ? <div className="desk-wide"><dt>Take-profit</dt><dd>{number(ticket.take_profit)} {quote}{reward(ticket)}</dd></div> : null}
            {exits(ticket) ? <div className="desk-wide"><dt>Exits</dt><dd>{exits(ticket)}</dd></div> : null}
            <div className="desk-wide"><dt>Good</dt><dd>{GOOD[String(ticket.time_in_force).toUpperCase()] || ticket.time_in_force}{ticket.good_till ? `, cancelled by the desk at ${minute(ticket.good_till)}` : ''}</dd></div>
            {state === 'pending'
              ? <div className="desk-wide"><dt>Is sent</dt><dd>only if the market is still at {number(low)} to {number(high)} when you approve; it was {number(ticket.reference_price)} {quote} at {clock(ticket.quote_time)}</dd></div>
              : <div className="desk-wide"><dt>Was valid</dt><dd>while the market was at {number(low)} to {number(high)}; it was {number(ticket.reference_price)} {quote} at {clock(ticket.quote_time)}</dd></div>}
          </dl>
        ) : (
          <ul className="desk-cancels">{ticket.cancels.map((order, n) => <li key={order}>{ticket.cancelled_words[n]} <code>{order}</code></li>)}</ul>
        )}
        {open && bares ? <p className="desk-problem">What the stop-loss guards is held without one once it is cancelled; none takes its place.</p> : null}
        {ticket.kind === 'order' ? <Evidence confluence={ticket.confluence} /> : null}
        <Limits risk={ticket.risk} version={ticket.limits_version} />
        <section aria-label="Your words" className="desk-words">
          {ticket.user_words ? <p>You wrote: <q>{ticket.user_words}</q></p> : null}
          {needsResolve ? (
            <div className="desk-differences">
              {ticket.differences.length ? <h3>The two readers differ</h3> : null}
              {ticket.differences.length ? <ul>{ticket.differences.map((difference) => <li key={difference}>{difference}</li>)}</ul> : null}
              {lookAlikes.length ? <h3>You may have sent this already</h3> : null}
              {lookAlikes.length ? <ul>{lookAlikes.map((sentence) => <li key={sentence}>{sentence}</li>)}</ul> : null}
              {open ? (
                <label className="desk-resolve">
                  <input type="checkbox" checked={resolved} disabled={Boolean(busy)} onChange={(event) => setResolved(event.target.checked)} />
                  I have read this and mean the ticket as it stands: {headline(ticket)}
                </label>
              ) : null}
            </div>
          ) : <p className="desk-note">Both readers agree on what you wrote.</p>}
        </section>
        {ticket.status === 'pending' ? <Countdown ticket={ticket} seconds={seconds} /> : null}
        {problem ? <p className="desk-problem" role="alert"><b>{problem.detail}</b> {problem.remedy}</p> : null}
        {open && editing ? <EditForm ticket={ticket} busy={busy === 'edit'} onSubmit={(edits) => decide('edit', edits)} onCancel={() => setEditing(false)} /> : null}
        {open && !editing ? (
          <div className="desk-buttons">
            <button type="button" className="desk-button desk-primary" disabled={!mayApprove} onClick={() => decide('approve')}
              aria-keyshortcuts="a" title={needsResolve && !resolved ? 'Tick the box above first' : 'Key A'}>{busy === 'approve' ? 'Approving…' : 'Approve'}</button>
            {ticket.kind === 'order' ? (
              <button type="button" className="desk-button" disabled={Boolean(busy)} onClick={() => setEditing(true)} aria-keyshortcuts="e" title="Key E">Edit</button>
            ) : null}
            <button type="button" className="desk-button" disabled={Boolean(busy)} onClick={() => decide('reject')}
              aria-keyshortcuts="r" title="Key R">{busy === 'reject' ? 'Rejecting…' : 'Reject'}</button>
          </div>
        ) : null}
      </article>
    );
  };
});

export default <TicketCard given={props.ticket} callAction={callAction} />;
