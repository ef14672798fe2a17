"use strict";
// The operator's page: reads the API of this service with the key of this tab, nothing else.

const $ = (id) => document.getElementById(id);
const OPEN = new Set(["INTENT", "SUBMITTING", "UNKNOWN", "ACKED", "WORKING", "PARTIALLY_FILLED"]);
const ALARMS = new Set(["alarm", "order_unknown", "loss_warning", "position_mismatch", "order_rejected"]);
let key = sessionStorage.getItem("key") || "";
let lastEvent = null;
let following = null;
const pnl = [];

async function call(path, options = {}) {
  const headers = { "X-API-Key": key, ...(options.headers || {}) };
  const answer = await fetch(path, { ...options, headers, cache: "no-store" });
  if (answer.status === 401) { leave("This key is not let in."); throw new Error("401"); }
  const body = await answer.json();
  if (!answer.ok && !path.startsWith("/health")) throw new Error(body.detail || body.title);
  return body;
}

async function ask(path, body, question) {
  if (question && !confirm(question)) return;
  try {
    await call("/api/v1" + path, {
      method: "POST", body: JSON.stringify(body || {}),
      headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
    });
    say("Done.");
  } catch (error) { say(String(error.message)); }
  refresh();
}

function say(text) {
  $("toast").textContent = text; $("toast").hidden = false;
  clearTimeout(say.timer); say.timer = setTimeout(() => { $("toast").hidden = true; }, 4000);
}

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function money(text, digits = 2) {
  if (text === null || text === undefined) return "–";
  const value = Number(text);
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

const short = (text) => {
  if (text === null || text === undefined) return "–";
  const value = Number(text);
  const digits = Math.abs(value) >= 1000 ? 2 : 6;
  return Math.abs(value) >= 1 || value === 0 ? value.toLocaleString("en", { maximumFractionDigits: digits }) : text;
};
const signed = (text) => (text === null ? "" : Number(text) > 0 ? "up" : Number(text) < 0 ? "down" : "");
const time = (text) => new Date(text).toISOString().slice(11, 19);

function fill(table, rows, columns, empty) {
  const body = $(table).tBodies[0];
  body.replaceChildren(...rows);
  if (!rows.length) {
    const cell = element("td", empty, "empty"); cell.colSpan = columns;
    body.replaceChildren(element("tr")); body.firstChild.append(cell);
  }
}

function showHealth(health) {
  $("account").textContent = `${health.account} · ${health.venue} · ${health.bus}`;
  $("mode").textContent = health.mode === "live" ? "LIVE" : "dry run";
  $("mode").classList.toggle("live", health.mode === "live");
  const lights = [["ready", health.ready], ["store", health.database_connected], ["bus", health.queue_connected]];
  $("lights").replaceChildren(...lights.map(([name, on]) => element("span", name, on ? "on" : "")));
  if (health.standing_by_for) $("lights").append(element("b", `stands by for ${health.standing_by_for}`));
  $("clock").textContent = new Date().toISOString().slice(0, 19).replace("T", " ") + " UTC";
}

function showState(state) {
  $("state-word").textContent = state.account; $("state-word").className = state.account;
  const causes = state.states.filter((each) => each.state !== "ACTIVE");
  $("causes").textContent = causes.map((c) => `${c.scope} ${c.cause}${c.reason ? ": " + c.reason : ""}`).join(" · ");
  $("resume").disabled = !causes.some((each) => each.cause === "OPERATOR" && each.scope === "account");
  $("halt").disabled = state.account === "HALTED";
}

function showExposure(exposure, metrics) {
  const used = Number(exposure.used_percent);
  $("exposure").textContent = money(exposure.total, 0);
  $("exposure-bar").style.width = `${Math.min(100, used)}%`;
  $("exposure-bar").className = used > 80 ? "high" : "";
  $("exposure-limit").textContent = `${used} % of ${money(exposure.max_exposure, 0)}`;
  $("open-count").textContent = exposure.open_orders;
  const number = (name) => Number((metrics.match(new RegExp(`^order_manager_${name} (\\S+)`, "m")) || [0, 0])[1]);
  const unknown = number('open_orders{status="unknown"}');
  $("unknown-count").textContent = unknown ? `${unknown} of them unknown` : "none of them unknown";
  $("unknown-count").classList.toggle("down", unknown > 0);
  $("flush").textContent = `${(number("flush_seconds") * 1000).toFixed(1)} ms`;
  const behind = number("unpublished_events");
  $("behind").textContent = behind ? `${behind} events to publish` : "every event is published";
}

function showPositions(positions) {
  const held = positions.filter((each) => Number(each.size) !== 0);
  fill("positions", held.map((each) => {
    const row = element("tr");
    row.append(element("td", each.asset), element("td", short(each.size), "n"), element("td", short(each.average_entry_price), "n"),
      element("td", short(each.current_price), "n"), element("td", money(each.unrealized_pnl), "n " + signed(each.unrealized_pnl)),
      element("td", money(each.realized_pnl), "n " + signed(each.realized_pnl)));
    const cell = element("td", null, "n"), button = element("button", "Close");
    button.onclick = () => ask(`/positions/${each.asset}/close`, {}, `Close the whole position in ${each.asset}?`);
    cell.append(button); row.append(cell);
    return row;
  }), 7, "No open position.");
  const total = held.reduce((sum, each) => sum + Number(each.unrealized_pnl || 0), 0);
  $("pnl").textContent = money(total); $("pnl").className = signed(total);
  pnl.push(total); if (pnl.length > 240) pnl.shift();
  const low = Math.min(...pnl), high = Math.max(...pnl), span = high - low || 1;
  const points = pnl.map((value, at) => `${(at * 120) / Math.max(1, pnl.length - 1)},${30 - ((value - low) / span) * 28}`);
  $("pnl-line").innerHTML = `<path d="M${points.join("L")}"/>`;
}

function showOrders(orders) {
  const live = orders.filter((each) => OPEN.has(each.state)), ended = orders.filter((each) => !OPEN.has(each.state));
  fill("orders", [...live, ...ended].slice(0, 20).map((each) => {
    const row = element("tr", null, "open-order");
    row.append(element("td", time(each.updated_at)), element("td", each.asset), element("td", each.side, each.side === "Buy" ? "up" : "down"),
      element("td", each.order_type), element("td", short(each.price), "n"), element("td", short(each.quantity), "n"), element("td", short(each.filled_quantity), "n"));
    const state = element("td"); state.append(element("span", each.state, "word " + each.state));
    row.append(state, element("td", each.code, "dim"));
    const cell = element("td", null, "n");
    if (OPEN.has(each.state)) {
      const button = element("button", "Cancel");
      button.onclick = (event) => { event.stopPropagation(); ask(`/orders/${each.client_order_id}/cancel`, {}); };
      cell.append(button);
    }
    row.append(cell); row.onclick = () => showOrder(each.client_order_id);
    return row;
  }), 10, "No order yet.");
}

function showDenials(denials) {
  const counted = Object.entries(denials.denials), most = Math.max(1, ...counted.map(([, count]) => count));
  $("denials").replaceChildren(...counted.map(([code, count]) => {
    const row = element("li"); row.append(element("span", code), element("b", count));
    const bar = element("div", null, "bar"), inner = element("i"); inner.style.width = `${(100 * count) / most}%`;
    bar.append(inner); row.append(bar); return row;
  }));
  if (!counted.length) $("denials").append(element("li", "Nothing was denied.", "empty"));
}

function showEvent(event) {
  const row = element("li", null, ALARMS.has(event.kind) ? "alarm" : "");
  const what = [event.symbol, event.side, event.filled_quantity && event.filled_quantity !== "0" ? `${event.filled_quantity} of ${event.quantity}` : event.quantity];
  row.append(element("time", time(event.at)), element("span", event.kind.replaceAll("_", " ")),
    element("span", what.filter(Boolean).join(" "), "dim"), element("span", event.code || "", "dim"));
  $("events").prepend(row);
  while ($("events").children.length > 100) $("events").lastChild.remove();
}

async function showOrder(id) {
  const story = await call(`/api/v1/orders/${id}/explanation`), order = story.order, body = $("order-body");
  body.replaceChildren(element("h2", "Order"), element("code", order.client_order_id));
  body.append(element("p", `${order.side} ${order.quantity} ${order.symbol} ${order.order_type}${order.price ? " at " + order.price : ""}, ${order.strategy_id}: `));
  body.lastChild.append(element("span", order.status, "word " + order.status));
  body.append(element("h3", "Why"));
  if (!story.decision.length) body.append(element("p", "A person's order, or one from outside: its decision is not kept as a signal's.", "dim"));
  for (const check of story.decision) {
    const row = element("div", null, "check");
    row.append(element("b", check.passed ? "✓" : "✗", check.passed ? "up" : "down"), element("span", check.text.replace(/^(pass|FAIL|note)\s+/, "")));
    body.append(row);
  }
  const life = element("ol"); life.id = "life";
  for (const each of story.events) life.append(element("li", `${each.at.slice(11, 23)}  ${each.kind.replaceAll("_", " ")}  ${each.code} ${each.text}`));
  body.append(element("h3", "Life"), life);
  if (story.executions.length) body.append(element("h3", "Executions"));
  for (const each of story.executions) body.append(element("div", `${each.executed_at.slice(11, 23)}  ${each.quantity} at ${each.price}, fee ${each.fee} ${each.fee_coin}`));
  $("order").showModal();
}

async function refresh() {
  try {
    const health = await call("/health"); showHealth(health);
    const metrics = await (await fetch("/metrics", { cache: "no-store" })).text();
    const [state, exposure, positions, orders, denials] = await Promise.all([
      call("/api/v1/trading-state"), call("/api/v1/exposure"), call("/api/v1/positions"),
      call("/api/v1/orders?limit=50&sort_by=updated_at"), call("/api/v1/denials")]);
    showState(state); showExposure(exposure, metrics); showPositions(positions.positions); showOrders(orders.orders); showDenials(denials);
    document.body.classList.remove("stale");
  } catch (error) { if (error.message !== "401") { say("The service does not answer."); document.body.classList.add("stale"); } }
}

async function follow() {
  following = new AbortController();
  const mine = following;
  while (!mine.signal.aborted) {
    try {
      if (lastEvent === null) {
        const page = await call("/api/v1/events?limit=60");
        page.events.forEach(showEvent); lastEvent = page.last;
      }
      const answer = await fetch(`/api/v1/events/stream?after=${lastEvent}`, { headers: { "X-API-Key": key }, signal: mine.signal });
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = "", part = await reader.read(); !part.done; part = await reader.read()) {
        const blocks = (rest + part.value).replaceAll("\r\n", "\n").split("\n\n"); rest = blocks.pop();
        for (const block of blocks) {
          const data = block.split("\n").find((line) => line.startsWith("data: "));
          if (data) { const event = JSON.parse(data.slice(6)); showEvent(event); lastEvent = event.number; }
        }
      }
    } catch (error) { if (mine.signal.aborted || error.message === "401") return; }
    await new Promise((done) => setTimeout(done, 1000));
  }
}

function leave(text) {
  key = ""; sessionStorage.removeItem("key"); clearInterval(enter.timer); if (following) following.abort();
  $("desk").hidden = true; $("login").hidden = false; $("login-said").textContent = text; $("key").focus();
}

async function enter() {
  $("login").hidden = true; $("desk").hidden = false;
  await refresh();
  if (!key) return;
  sessionStorage.setItem("key", key);
  clearInterval(enter.timer); enter.timer = setInterval(refresh, 2000);
  follow();
}

$("login").onsubmit = (event) => { event.preventDefault(); key = $("key").value.trim(); $("key").value = ""; enter(); };
$("halt").onclick = () => ask("/halt", { reason: "from the page" });
$("resume").onclick = () => ask("/resume", { reason: "from the page" }, "Trade again?");
$("cancel-all").onclick = () => ask("/orders/cancel-all", {}, "Cancel every order of the account, foreign ones too?");
$("flatten").onclick = () => ask("/flatten", {}, "Cancel every order and close every position?");
if (key) enter(); else { fetch("/health").then((answer) => answer.json()).then(showHealth); $("login").hidden = false; $("key").focus(); }
