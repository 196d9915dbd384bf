/* Shared by the page and its custom elements: what this desk is, receipts, addresses, the chart library. */
(() => {
  const meta = document.querySelector('meta[property="og:root_path"]');
  const base = (meta && meta.content) || '/chat';

  /** GET below /chat as JSON; rejects with {message, remedy, status}. Resolves with the server's time too. */
  async function get(path) {
    let response;
    try {
      response = await fetch(base + path, { credentials: 'same-origin', headers: { Accept: 'application/json' } });
    } catch {
      throw { message: 'The desk does not answer.', remedy: 'Check that the server runs; this is tried again.', status: 0 };
    }
    const body = await response.json().catch(() => ({}));
    if (!response.ok) {
      throw { message: body.detail || `The desk answered ${response.status}.`, remedy: body.remedy || '', status: response.status };
    }
    // The header knows whole seconds only, so a small difference says nothing.
    const skew = (Date.parse(response.headers.get('date') || '') || Date.now()) - Date.now();
    return { body, skew: Math.abs(skew) < 3000 ? 0 : skew + 1000 };
  }

  /** POST JSON below /chat; rejects like `get`. */
  async function post(path, body) {
    let response;
    try {
      response = await fetch(base + path, {
        method: 'POST', credentials: 'same-origin', headers: { 'Content-Type': 'application/json', Accept: 'application/json' }, body: JSON.stringify(body),
      });
    } catch {
      throw { message: 'The desk does not answer, so it is not known whether this arrived.', remedy: 'With the desk dead, use: quantum-trader halt' };
    }
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw { message: answer.detail || `The desk answered ${response.status}.`, remedy: answer.remedy || '' };
    return answer;
  }

  /** Decimal text with thousands separators, digit for digit as the desk sent it: never through a float. */
  function number(text) {
    const [, sign, whole, fraction] = /^(-?)(\d+)(\.\d+)?$/.exec(String(text ?? '')) || [];
    if (whole === undefined) return String(text ?? '');
    return sign + whole.replace(/\B(?=(\d{3})+$)/g, ',') + (fraction || '');
  }

  /** A quantity without trailing zeros. */
  function quantity(text) {
    return number(String(text ?? '').replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, ''));
  }

  /** An estimated amount of money, to the cent from one unit on. */
  function money(text) {
    const value = Number(text);
    if (!Number.isFinite(value)) return String(text ?? '');
    return number(Math.abs(value) >= 1 || value === 0 ? value.toFixed(2) : String(Number(value.toPrecision(3))));
  }

  function clock(iso) {
    const time = new Date(iso);
    return Number.isNaN(time.getTime()) ? '' : time.toISOString().slice(11, 19) + ' UTC';
  }

  function minute(iso) {
    const time = new Date(iso);
    return Number.isNaN(time.getTime()) ? String(iso || '') : time.toISOString().slice(0, 16).replace('T', ' ') + ' UTC';
  }

  function sentence(text) { return /[.!?]$/.test(text) ? text : `${text}.`; }

  /** Who decided; a caller with an API key decides as "owner (key id)". */
  function decider(ticket) { return ticket.decided_by.split(' (key ')[0] === ticket.owner ? 'you' : ticket.decided_by; }

  /** What became of an entry's stop-loss or take-profit; only what rests or waits protects. */
  function exit(order, entry) {
    const stop = order.order_type === 'stop';
    const done = Number(order.filled) > 0 ? `sold ${quantity(order.filled)} at ${number(order.average_price)} average` : '';
    const words = {
      accepted: order.held_by === 'desk' && !order.venue_order_id ? 'is guarded by this desk' : 'rests at the venue',
      partially_filled: `${done}, the rest is open`, filled: done, cancelled: done ? `${done}, the rest was cancelled` : 'was cancelled',
      rejected_by_venue: 'was refused', not_accepted: 'was never taken', needs_operator: 'is unclear: look at the venue',
    };
    const guarded = entry.status === 'filled' ? '' : ` for ${quantity(order.quantity)} ${order.symbol.split('/')[0]}`;
    return `${stop ? 'Stop-loss' : 'Take-profit'} ${number(order.stop_price || order.limit_price)}${guarded} ${words[order.status] || 'is being looked up'}.`;
  }

  let loading;
  function plotly(version) {
    loading ||= new Promise((resolve, reject) => {
      const script = document.createElement('script');
      script.src = `${base}/desk/plotly-${version}.js`;
      script.onload = () => resolve(window.Plotly);
      script.onerror = () => { loading = undefined; reject(new Error('The chart library did not load.')); };
      document.head.append(script);
    });
    return loading;
  }

  function isDark() { return document.documentElement.classList.contains('dark'); }

  /** Calls back when the page turns dark or light; returns how to stop. */
  function onTheme(callback) {
    let dark = isDark();
    const observer = new MutationObserver(() => { if (isDark() !== dark) callback((dark = isDark())); });
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['class'] });
    return () => observer.disconnect();
  }

  // Chainlit compiles an element's code again whenever the chat's state changes. Components kept here keep their
  // identity, and with it what a person has typed into them.
  const components = {};
  function component(name, make) { return (components[name] ||= make()); }

  window.desk = { base, get, number, quantity, money, clock, minute, sentence, decider, exit, plotly, isDark, onTheme, component };

  /* Whose money: a live desk says whether orders pass, and why not. */
  function accountPart() {
    if (!status.live) return part(`${status.mode} account`, 'mode', 'No real money is at stake.');
    const { live } = status;
    if (live.in_the_way) {
      const state = live.armed_until ? 'blocked' : 'not armed';
      return part(`LIVE account · ${state}`, 'warn', `REAL MONEY at ${live.venue}. ${live.in_the_way}`);
    }
    return part(`LIVE account · armed until ${minute(live.armed_until)}`, 'halted',
      `REAL MONEY at ${live.venue}: approved orders go out. Armed by ${live.armed_by}.`);
  }

  /* The label that is always visible: which market, simulated or not, whose account, which model. */
  const badge = document.createElement('div');
  badge.id = 'desk-badge';
  badge.setAttribute('role', 'status');
  badge.setAttribute('aria-label', 'What this desk is');
  let status;

  /* `long` is what of the text a narrow screen leaves out. */
  function part(text, kind, title, long = '') {
    const span = document.createElement('span');
    span.className = `desk-part desk-${kind}`;
    span.textContent = text;
    if (long) {
      const [before, after] = text.split(long);
      span.replaceChildren(before, Object.assign(document.createElement('span'), { className: 'desk-long', textContent: long }), after);
    }
    if (title) span.title = title;
    return span;
  }

  function drawBadge(problem) {
    badge.replaceChildren();
    if (problem && !status) {
      badge.append(part('desk offline', 'warn', `${problem.message} ${problem.remedy}`));
      return;
    }
    if (!status) return;
    const { trading } = status;
    const restricted = trading.state !== 'active';
    if (restricted) badge.append(part(trading.state.toUpperCase(), 'halted', `${trading.reason} (set by ${trading.by})`));
    const bare = status.unprotected || [];
    if (bare.length) {
      const word = bare.length === 1 ? 'position ' : 'positions ';
      badge.append(part(`${bare.length} ${word}UNPROTECTED`, 'halted', bare.map((each) => each.text).join('\n'), word));
    }
    if (problem) badge.append(part('desk offline', 'warn', `${problem.message} ${problem.remedy}`));
    if (status.simulated) badge.append(part('SIMULATED', 'simulated', 'No real market made these prices.'));
    badge.append(part(`${status.market} market`, 'market', status.simulated ? 'simulated prices' : 'real prices'));
    badge.append(accountPart());
    badge.append(part(`${status.model} model`, 'model', 'The model that reads your messages'));
    const here = location.pathname.split('/').pop();
    const elsewhere = (status.waiting || []).filter((ticket) => ticket.thread_id !== here);
    if (elsewhere.length) {
      const link = document.createElement('a');
      link.className = 'desk-part desk-waiting';
      link.href = `${base}/thread/${encodeURIComponent(elsewhere[0].thread_id)}`;
      link.textContent = elsewhere.length === 1 ? `${elsewhere[0].label} waits` : `${elsewhere.length} tickets wait`;
      badge.append(link);
    }
    // What only reduces can be stopped altogether, too.
    if (trading.state !== 'halted') badge.append(stop);
    if (restricted) badge.append(resume);
  }

  /* The kill switch: a button that asks for a reason before it acts, for stopping and one for going on. */
  const [stop, resume] = [['halt', 'Stop trading'], ['resume', 'Resume']].map(([action, text]) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'desk-part desk-stop';
    button.textContent = text;
    button.setAttribute('aria-haspopup', 'dialog');
    button.addEventListener('click', () => ask(action));
    return button;
  });
  const dialog = document.createElement('dialog');
  dialog.id = 'desk-switch';
  dialog.setAttribute('aria-labelledby', 'desk-switch-title');
  dialog.innerHTML = `
    <form>
      <h2 id="desk-switch-title"></h2>
      <p class="desk-note"></p>
      <label>Reason <input name="reason" required maxlength="500" autocomplete="off"></label>
      <label class="desk-cancel-all"><input type="checkbox" name="cancel_all"> Cancel every open order too, stop-loss and take-profit orders included</label>
      <p class="desk-problem" role="alert" hidden></p>
      <ul class="desk-cancelled" aria-label="What became of each order"></ul>
      <div class="desk-buttons"><button type="submit" class="desk-button desk-primary"></button><button type="button" class="desk-button">Back</button></div>
    </form>`;
  document.body.append(dialog);
  const [form, title, explained] = ['form', 'h2', '.desk-note'].map((name) => dialog.querySelector(name));
  const [refused, results] = ['.desk-problem', '.desk-cancelled'].map((name) => dialog.querySelector(name));
  const [confirm, back] = dialog.querySelectorAll('button');

  function ask(action) {
    const halting = action === 'halt';
    form.reset();
    form.dataset.action = action;
    title.textContent = halting ? 'Stop all trading?' : 'Trade again?';
    explained.textContent = halting
      ? 'From then on everything but cancels is denied, over restarts too, until somebody resumes.'
      : `${status.trading.state.toUpperCase()} since ${minute(status.trading.since)} by ${status.trading.by}: ${status.trading.reason}`;
    dialog.querySelector('.desk-cancel-all').hidden = !halting;
    confirm.textContent = halting ? 'Stop trading' : 'Resume trading';
    confirm.hidden = false;
    form.elements.reason.disabled = false;
    back.textContent = 'Back';
    refused.hidden = true;
    results.replaceChildren();
    dialog.showModal();
    form.elements.reason.focus();
  }
  back.addEventListener('click', () => dialog.close());
  // Typing a reason must not reach the page's own keys.
  dialog.addEventListener('keydown', (event) => event.stopPropagation());
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (confirm.disabled || !form.elements.reason.value.trim()) return;
    confirm.disabled = true;
    refused.hidden = true;
    try {
      const body = { reason: form.elements.reason.value.trim(), cancel_all: form.elements.cancel_all.checked };
      const done = await post(`/desk/${form.dataset.action}`, body);
      status = { ...status, trading: done.trading, unprotected: done.unprotected };
      drawBadge();
      const bare = (done.unprotected || []).map((each) => each.text);
      if (!body.cancel_all && !bare.length) { dialog.close(); return; }
      title.textContent = `Trading is ${done.trading.state.toUpperCase()}`;
      const lines = done.orders.map((order) => `${order.text}: ${order.status.replaceAll('_', ' ')}${order.done ? '' : `. ${order.detail}`}`);
      if (body.cancel_all && !lines.length) lines.push('No order was open.');
      const item = (className) => (textContent) => Object.assign(document.createElement('li'), { className, textContent });
      results.replaceChildren(...bare.map(item('desk-bare')), ...lines.map(item('')));
      const all = done.orders.every((order) => order.done);
      confirm.hidden = all;
      form.elements.reason.disabled = all;
      confirm.textContent = 'Cancel again';
      back.textContent = 'Close';
      back.focus();
    } catch (problem) {
      refused.textContent = `${problem.message} ${problem.remedy}`;
      refused.hidden = false;
    } finally {
      confirm.disabled = false;
    }
  });

  /* First visit: one line on what the desk is. */
  function welcome() {
    const screen = document.getElementById('welcome-screen');
    if (!screen || !status || document.getElementById('desk-welcome')) return;
    const line = document.createElement('p');
    line.id = 'desk-welcome';
    line.textContent =
      `A trading desk you talk to: figures come with their source, orders wait for your approval. `
      + `You trade on a ${status.mode} account on the ${status.market} market`
      + `${status.simulated ? ', which is simulated' : ''}.`;
    screen.append(line);
  }

  async function refresh() {
    if (document.hidden) return;
    try {
      const { body } = await get('/desk/status');
      if (body.signed_in === false) { status = undefined; drawBadge(); setTimeout(refresh, 1000); return; }
      status = body;
      drawBadge();
    } catch (problem) {
      drawBadge(problem);
    }
    welcome();
  }

  new MutationObserver(welcome).observe(document.getElementById('root'), { childList: true, subtree: true });
  document.body.append(badge);
  refresh();
  setInterval(refresh, 10000);
  document.addEventListener('visibilitychange', refresh);

  /* The chat swallows Enter until it is connected. What was meant to be sent then goes as soon as it can, once,
     unless its writer does anything else to it first. */
  const PATIENCE = 60000;
  let held;
  function letGo() { clearInterval(held); held = undefined; }
  document.addEventListener('keydown', (event) => {
    if (event.target.id !== 'chat-input') return;
    letGo();
    const meant = event.target.value;
    const sends = event.key === 'Enter' && !event.shiftKey && !event.isComposing && meant.trim();
    if (!sends || document.getElementById('stop-button')) return;
    const since = Date.now();
    held = setInterval(() => {
      const send = document.getElementById('chat-submit');
      if (document.getElementById('chat-input')?.value !== meant || Date.now() - since > PATIENCE) letGo();
      else if (send && !send.disabled) { letGo(); send.click(); }
    }, 100);
  });

  /* The address of a conversation, so that a reload comes back to it. */
  window.addEventListener('message', (event) => {
    if (event.source !== window || event.data?.desk !== 'thread') return;
    const address = `${base}/thread/${event.data.thread_id}`;
    if (location.pathname !== address && !location.pathname.startsWith(`${base}/thread/`)) {
      history.replaceState(history.state, '', address);
    }
    refresh();
  });

  /* Receipts: a marker opens what the list under its message says about it, by pointing, tapping or focus. */
  const card = document.createElement('div');
  card.id = 'desk-receipt';
  card.setAttribute('role', 'tooltip');
  card.hidden = true;
  document.body.append(card);
  const MARKER = 'a[href^="#receipt-"]';
  let shownFor;

  function show(marker) {
    const row = document.getElementById(marker.getAttribute('href').slice(1));
    if (!row) return;
    shownFor = marker;
    card.replaceChildren(...[...row.children].map((child) => child.cloneNode(true)));
    card.hidden = false;
    // The native tooltip would cover it.
    if (marker.title) { marker.dataset.source = marker.title; marker.setAttribute('aria-label', `Receipt: ${marker.title}`); marker.removeAttribute('title'); }
    const at = marker.getBoundingClientRect();
    const left = Math.min(Math.max(8, at.left - 40), innerWidth - card.offsetWidth - 8);
    const below = at.bottom + 8;
    card.style.left = `${left}px`;
    card.style.top = `${below + card.offsetHeight > innerHeight ? Math.max(8, at.top - card.offsetHeight - 8) : below}px`;
  }

  function hide() { card.hidden = true; shownFor = undefined; }

  document.addEventListener('mouseover', (event) => {
    const marker = event.target.closest?.(MARKER);
    if (marker) show(marker);
    else if (shownFor && !event.target.closest?.('#desk-receipt') && document.activeElement !== shownFor) hide();
  });
  document.addEventListener('focusin', (event) => {
    const marker = event.target.closest?.(MARKER);
    if (marker) show(marker); else hide();
  });
  document.addEventListener('click', (event) => {
    const marker = event.target.closest?.(MARKER);
    if (marker) { event.preventDefault(); event.stopPropagation(); show(marker); marker.focus({ preventScroll: true }); }
    else if (!event.target.closest?.('#desk-receipt')) hide();
  }, true);
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape') hide(); });
  addEventListener('scroll', hide, true);
})();
