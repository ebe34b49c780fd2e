"use strict";
// The page: controls, what is asked of the server, and what is shown of its answers. One question
// is under way at a time; of those that wait the last one counts.
(() => {
  const $ = (id) => document.getElementById(id);
  const read = (id) => JSON.parse($(id).textContent);
  const S = read("settings");
  const NAMES = ["shape", "peak", "horizon", "warmup", "cooldown", "floor", "batch"];
  const MOVED = NAMES.slice(1).filter((name) => $(name));
  const PRESETS = document.querySelectorAll(".preset");
  // Milliseconds of rest before schedules are compared; letters of a text that is shown where it can
  // be saved too.
  const REST = 250, LONG = 240;
  // The state is what was last shown. Edits wait by what they are made in, each with the values that it
  // sets; boxes whose edit was refused keep it.
  let state = {}, models = {}, under = null, waiting = null, count = 0, begun = 0, edits = new Map(), refused = new Set();
  let resting = 0, held = false, setting = false, last = null, lost = 0, answers = null, tall = 0, wanted = 0, keeping = null, known = 0, added = null;

  // ---- numbers as people read them
  const loss = (x) => (x === null || x === undefined ? "–" : x.toFixed(4));
  const ends = (a, b) => (a === null || b === null ? "unbounded" : `${loss(a)} .. ${loss(b)}`);
  const signed = (x) => (x < 0 ? "−" : "+") + Math.abs(x).toFixed(4);
  const short = (x, digits = 4) => String(Number(Number(x).toPrecision(digits)));
  const text = (id, words) => { const at = $(id); if (at && at.textContent !== words) at.textContent = words; };
  const say = (id, words) => { text(id, words); $(id).hidden = !words; };

  // ---- sliders: 0..1000, in the log where a number has a wide range
  const wide = (name) => S.room[name];
  const place = (name, value) => {
    if (wide(name)) { const [a, b] = wide(name); return b > a ? Math.log(value / a) / Math.log(b / a) : 0; }
    if (name === "warmup") return Math.sqrt(value / (0.5 * state.horizon));
    return Number(value);
  };
  const valueAt = (name, x) => {
    if (name === "warmup") return Math.round(0.5 * state.horizon * x * x);
    if (!wide(name)) return Number(x.toFixed(3));
    const [a, b] = wide(name), value = Math.min(Math.max(a * (b / a) ** x, a), b);
    return name === "horizon" ? Math.round(Number(value.toPrecision(3))) : Number(value.toPrecision(3));
  };

  // ---- the state and the address
  const query = (values = state) => {
    const names = values.shape === S.byHand ? ["shape", "peak", "horizon", "batch", "points"] : NAMES;
    return names.filter((name) => values[name] !== undefined)
      .map((name) => `${name}=${encodeURIComponent(values[name]).replaceAll("%3A", ":").replaceAll("%2C", ",")}`).join("&");
  };
  // A schedule drawn by hand keeps what the controls had before.
  const taken = (address) => {
    delete state.points;
    Object.assign(state, Object.fromEntries(new URLSearchParams(address)));
  };

  // ---- what is asked
  // One edit is asked at a time, so that it is known which one is refused; of one box the last counts.
  const edit = (where, values) => {
    // Whoever moves on is not taken back by a design that comes later.
    wanted = 0; chosen = "";
    edits.set(where, { values, since: performance.now() });
    clearTimeout(resting);
    next();
  };
  const ask = (kind, more = {}) => {
    if (kind === "preset") { wanted = 0; clearTimeout(resting); waiting = { kind, ...more, since: performance.now() }; next(); }
    else if (!under) send({ kind, ...more, since: performance.now() });
  };
  const next = () => {
    if (under) return;
    for (const [where, { values, since }] of edits) {
      edits.delete(where);
      send({ kind: "state", since }, where, { ...state, ...values });
      return;
    }
    if (waiting) { const question = waiting; waiting = null; send(question); }
  };
  const send = ({ since, ...question }, where = "", values = state) => {
    question.state = question.state || query(values);
    question.id = ++count;
    under = { id: count, kind: question.kind, where }; begun = since;
    clearTimeout(lost);
    lost = setTimeout(() => gone(), S.lost);
    models.asked.text = JSON.stringify(question);
  };
  const gone = () => {
    document.body.classList.add("gone");
    for (const part of document.querySelectorAll("#controls, #presets, .keep, #rates")) part.inert = true;
    say("gone", "The server is gone, or does not answer: nothing here moves, and the numbers are the last ones. "
      + "If it still runs, reload the page. Otherwise start losslaw whatif again; what follows the “?” of this "
      + "address can be put behind the new one.");
  };
  const back = () => {
    document.body.classList.remove("gone");
    for (const part of document.querySelectorAll("[inert]")) part.inert = false;
    say("gone", "");
  };

  // ---- what is answered
  const heard = (answer) => {
    if (answer.kind === "designing") { text("progress", `${answer.words} …`); free(answer); return; }
    if (answer.kind === "designed") {
      const here = answer.id === wanted;
      text("progress", here || answer.error ? "" : "The designed schedule is ready.");
      if (answer.error) say("said", `No design: ${answer.error}`);
      else if (here) { forget(); chosen = S.designed; waiting = { kind: "state", state: answer.state, since: performance.now() }; next(); }
      else ask("compare");
      return;
    }
    const where = under && answer.id === under.id ? under.where : "";
    if (answer.error) refuse(where, answer.error);
    else if (answer.kind === "state") { taken(answer.state); accept(where); say("said", answer.said || ""); }
    // The server is asked on before this answer is drawn.
    free(answer);
    if (answer.error) { if (last) controls(); return; }
    if (answer.kind === "state") show(answer);
    if (answer.kind === "compared") { put(answer.columns); rows(answer.rows); }
  };
  // What is refused is said at the box that it stands in, and stays there until that is mended, or a
  // preset chosen; the picture stays as it was, and all else goes on.
  const refuse = (where, words) => {
    if (!$(`${where}-said`)) { say("said", words); return; }
    refused.add(where); say(`${where}-said`, words);
    $(where).ariaInvalid = "true";
    if (keeping) { keeping = null; unsaved(); }
  };
  const unsaved = () => say("unsaved", refused.size ? `Nothing is saved while a box is refused: ${[...refused].join(", ")}.` : "");
  const mend = (where) => {
    if (refused.delete(where)) { say(`${where}-said`, ""); $(where).ariaInvalid = "false"; }
    if (!$("unsaved").hidden) unsaved();
  };
  const accept = (where) => {
    // A preset mends all.
    for (const each of where ? [where] : [...refused]) mend(each);
    // The longest warm-up is that of the horizon.
    for (const [one, other] of [["horizon", "warmup"], ["warmup", "horizon"]]) {
      if (where === one && refused.has(other)) edits.set(other, { values: { [other]: $(other).value.trim() }, since: performance.now() });
    }
  };
  const forget = () => { edits.clear(); wanted = 0; accept(""); };
  const free = (answer) => {
    if (under && answer.id !== under.id) return;
    const done = under, since = begun;
    under = null; clearTimeout(lost);
    if (done && document.body.classList.contains("gone")) back();
    if (waiting || edits.size) next();
    else if (answer.kind === "state") {
      clearTimeout(resting);
      resting = setTimeout(() => ask("compare"), REST);
    }
    if (answer.kind === "state") painted(done && since);
  };
  // From the move to the frame in which its answer is on the screen; behind it what can wait.
  const painted = (since) => requestAnimationFrame(() => setTimeout(() => {
    const took = performance.now() - since;
    kept();
    if (keeping && settled()) { const what = keeping; keeping = null; what.click(); }
    if (since === null) return;
    text("took", `The last move took ${took.toFixed(0)} ms.`);
    (window.losslawMoves ||= []).push(took);
  }, 0));

  // Columns and axes are the tab's own: nothing of them goes back to the server.
  const own = { sync: false };
  const put = (columns) => {
    for (const [name, data] of Object.entries(columns)) models[name].setv({ data }, own);
  };
  const show = (answer) => {
    last = answer;
    put(answer.columns);
    const { numbers } = answer;
    text("loss", loss(numbers.loss));
    text("band", numbers.lower === null ? "no interval" : ends(numbers.lower, numbers.upper));
    doubts(numbers);
    text("spec", `losslaw predict FIT --schedule ${S.live && answer.spec.length > LONG ? "schedule.csv" : `"${answer.spec}"`}`);
    controls();
    const horizon = Number(new URLSearchParams(answer.state).get("horizon"));
    range(models.x, -0.012 * horizon, 1.015 * horizon, 0.99);
    range(models.losses_y, ...numbers.limits, 0.5);
    if (!held) range(models.rates_y, -0.04 * answer.peak, 1.08 * answer.peak, 0.6);
    if (models.points && !held) handles(answer.points.map(([x, y]) => [Math.max(Math.round(x * horizon), 1), y * Number(state.peak)]));
    first();
    for (const row of $("rows").rows) if (row.rowIndex > 1) set(row, "className", "old");
  };
  const doubts = ({ trust, status, warnings }) => {
    const said = JSON.stringify([trust, status, warnings]), box = $("doubts");
    if (box.dataset.said === said) return;
    box.dataset.said = said;
    text("trust", trust || "one law answers alone: its interval knows nothing of other laws");
    box.dataset.trust = status;
    $("warnings").replaceChildren(...warnings.map((words) => {
      const item = document.createElement("li"); item.textContent = words; return item;
    }));
    $("warnings").hidden = !warnings.length;
    // What is below stays where it is, under the pointer that drags it.
    if (box.offsetHeight > tall) box.style.minHeight = `${tall = box.offsetHeight}px`;
  };
  // An axis stays while the picture fills enough of it: what moves is then the curve.
  const range = (axis, low, high, least) => {
    if (low < axis.start || high > axis.end || high - low < least * (axis.end - axis.start)) {
      axis.setv({ start: low, end: high }, own);
    }
  };
  const handles = (pairs) => {
    placed(pairs);
    known = pairs.length;
    if (added === null) return;
    // What a click has just added is the one that Backspace removes.
    const away = pairs.map(([x]) => Math.abs(x - added));
    models.points.selected.setv({ indices: [away.indexOf(Math.min(...away))] }, own);
    added = null;
  };
  const placed = (pairs) => {
    const { x, y } = models.points.data;
    if (x.length === pairs.length && pairs.every(([a, b], i) => Math.abs(a - x[i]) < 1e-9 && Math.abs(b - y[i]) < 1e-15)) return;
    setting = true;
    models.points.setv({ data: { x: pairs.map(([a]) => a), y: pairs.map(([, b]) => b) } }, own);
    setting = false;
  };
  // What did not change is not written again: the browser would lay it out again.
  const set = (at, key, value) => { if (at[key] !== value) at[key] = value; };
  const press = (name) => {
    if (name !== S.designed) say("above", "");
    for (const button of PRESETS) set(button, "ariaPressed", String(button.dataset.name === name));
  };
  const controls = () => {
    if (!S.live) return;
    const byHand = state.shape === S.byHand;
    press(chosen);
    set($("shape"), "value", state.shape);
    for (const name of MOVED) {
      const box = $(name), slide = $(`${name}-slide`);
      const off = (byHand && ["warmup", "cooldown", "floor"].includes(name))
        || (name === "cooldown" && !S.cooldown.includes(state.shape))
        || (name === "floor" && !S.falls.includes(state.shape));
      set(box, "disabled", off);
      set(slide, "disabled", off);
      box.parentElement.classList.toggle("off", off);
      const value = state[name];
      if (off) mend(name);
      if (value === undefined) continue;
      if (document.activeElement !== box && !refused.has(name)) set(box, "value", name === "horizon" || name === "warmup" ? value : short(value, 6));
      if (document.activeElement !== slide) set(slide, "value", String(Math.round(1000 * Math.min(Math.max(place(name, value), 0), 1))));
      set(slide, "ariaValueText", box.value);
    }
    if (document.activeElement !== $("points") && !refused.has("points")) {
      const at = Number(state.horizon), peak = Number(state.peak);
      set($("points"), "value", last.points.map(([x, y]) => `${Math.max(Math.round(x * at), 1)}=${short(y * peak)}`).join(", "));
    }
  };

  // ---- the table
  const cell = (tag, words) => { const at = document.createElement(tag); at.textContent = words; if (tag === "th") at.scope = "row"; return at; };
  const first = () => {
    const { numbers } = last, said = [loss(numbers.loss), ends(numbers.lower, numbers.upper)];
    if (!$("rows").rows.length) {
      const row = document.createElement("tr");
      row.append(cell("th", "this one"), ...["", "", "", "", ""].map((words) => cell("td", words)));
      $("rows").append(row);
    }
    said.forEach((words, i) => set($("rows").rows[0].cells[i + 1], "textContent", words));
  };
  // A design is the best for one law, which need not be the best for all.
  const above = (given) => {
    const lower = chosen === S.designed ? given.filter((each) => each.gain < -5e-7) : [];
    if (!lower.length) { say("above", ""); return; }
    const each = lower.reduce((a, b) => (a.gain < b.gain ? a : b));
    say("above", `The designed schedule ends ${(-each.gain).toFixed(4)} above ${each.name}, ${each.told ? "and they are told apart" : "not told apart"}`
      + `${S.mixture ? ": it is the best for the law that counts most, and this page asks all" : ""}.`);
  };
  const rows = (given) => {
    first();
    above(given);
    while ($("rows").rows.length > 1) $("rows").deleteRow(1);
    for (const each of given) {
      const row = document.createElement("tr"), same = Math.abs(each.gain) < 5e-7;
      row.append(cell("th", each.name), cell("td", loss(each.loss)), cell("td", ends(each.lower, each.upper)),
        cell("td", same ? "the same" : signed(each.gain)),
        cell("td", same ? "" : each.gain_lower === null ? "unbounded" : `${signed(each.gain_lower)} .. ${signed(each.gain_upper)}`),
        cell("td", same ? "" : each.told ? "yes" : "no"));
      $("rows").append(row);
    }
  };

  // ---- what people do
  let chosen = "";
  const moved = (name, value) => edit(name, { [name]: String(value) });
  // The address bar is another process, which takes its time.
  const kept = () => { history.replaceState(null, "", `?${last.state}`); keep(last.state); };
  const keep = (address) => {
    $("csv").href = `save?to=csv&${address}`;
    $("export").href = `save?to=${$("target").value}&${address}`;
  };
  const settled = () => !edits.size && !waiting && (!under || under.kind === "compare");
  // Nothing is kept that the boxes do not show.
  const mayKeep = (event) => {
    if (!refused.size && settled()) return true;
    event.preventDefault();
    if (refused.size) unsaved();
    else keeping = event.currentTarget;
    return false;
  };
  const byHand = (pairs) => {
    const horizon = Number(state.horizon), [low, high] = S.room.peak;
    const inside = pairs.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y))
      .map(([x, y]) => [Math.min(Math.max(Math.round(x), 1), horizon), Math.min(Math.max(y, 0), high)])
      .sort((a, b) => a[0] - b[0]);
    const peak = Math.max(...inside.map(([, y]) => y), low);
    if (!inside.length) return;
    edit("points", { shape: S.byHand, peak: String(Number(peak.toPrecision(6))),
      points: inside.map(([x, y]) => `${short(x / horizon, 7)}:${short(y / peak, 5)}`).join(",") });
  };
  // "12k=3e-4": both numbers as people write them.
  const written = (text) => {
    const each = text.trim(), scale = S.scales[each.slice(-1)];
    if (!each) return NaN;
    return scale === undefined ? Number(each) : Number(`${each.slice(0, -1)}e${scale}`);
  };
  const dragged = () => {
    if (setting) return;
    const { x, y } = models.points.data;
    if (x.length > known) added = x[x.length - 1];
    known = x.length;
    byHand(Array.from(x, (at, i) => [at, y[i]]));
  };
  const listen = () => {
    for (const button of PRESETS) button.addEventListener("click", () => {
      chosen = button.dataset.name;
      if (!S.live) { still(chosen); return; }
      forget();
      ask("preset", { name: chosen });
      if (chosen === S.designed) wanted = waiting ? count + 1 : count;
    });
    if (!S.live) return;
    $("controls").addEventListener("submit", (event) => event.preventDefault());
    $("shape").addEventListener("change", () => {
      if ($("shape").value === S.byHand) { const h = Number(state.horizon), p = Number(state.peak); byHand(last.points.map(([x, y]) => [x * h, y * p])); return; }
      const missing = Object.entries({ warmup: "0", cooldown: "0.2", floor: "0" }).filter(([name]) => state[name] === undefined);
      edit("shape", { ...Object.fromEntries(missing), points: undefined, shape: $("shape").value });
    });
    for (const name of MOVED) {
      const box = $(name), slide = $(`${name}-slide`);
      slide.addEventListener("input", () => {
        const value = valueAt(name, slide.value / 1000);
        box.value = value; moved(name, value);
      });
      slide.addEventListener("change", () => slide.blur === undefined || controls());
      box.addEventListener("change", () => { moved(name, box.value.trim()); });
    }
    $("points").addEventListener("change", () => {
      const pairs = $("points").value.split(/[,\n]/).filter((each) => each.trim()).map((each) => each.split("=").map(written));
      const wrong = pairs.findIndex((pair) => pair.length !== 2 || !pair.every(Number.isFinite));
      if (pairs.length && wrong < 0) byHand(pairs);
      else refuse("points", pairs.length ? `point ${wrong + 1} is no update = rate, such as 12k=3e-4` : "no point is left");
    });
    window.addEventListener("resize", () => { tall = 0; $("doubts").style.minHeight = ""; });
    $("target").addEventListener("change", () => keep(query()));
    for (const id of ["csv", "export"]) $(id).addEventListener("click", mayKeep);
    $("copy").addEventListener("click", async (event) => {
      if (!mayKeep(event)) return;
      try { await navigator.clipboard.writeText(location.href); text("copy", "Copied"); }
      catch { text("copy", "Copy it from the address bar"); }
      setTimeout(() => text("copy", "Copy the address"), 2000);
    });
    $("rates").addEventListener("pointerdown", (event) => {
      held = true;
      // Only the point under the pointer is dragged.
      if (!event.shiftKey) models.points.selected.setv({ indices: [] }, own);
    }, true);
    for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, () => {
      if (held) setTimeout(() => {
        held = false;
        if (state.shape === S.byHand && !edits.has("points")) { edits.set("points", { values: {}, since: performance.now() }); next(); }
      }, 50);
    }, true);
  };
  // ---- beginning
  const still = (name) => {
    const answer = answers[name];
    show(answer); rows(answer.rows);
    press(name);
  };
  const found = () => {
    const doc = window.Bokeh && Bokeh.documents[0];
    if (!doc) return false;
    for (const name of ["x", "losses_y", "rates_y", ...S.sources, ...(S.live ? ["asked", "answer"] : [])]) {
      models[name] = doc.get_model_by_name(name);
    }
    const views = [...Bokeh.index.roots].filter((each) => each.computed_renderer_views);
    if (!models.x || !models.rates_y || (S.live && !models.answer) || views.length < 2) return false;
    // Bokeh cuts nothing off at the frame that is drawn over the axes.
    for (const view of views.flatMap((each) => each.computed_renderer_views)) {
      if (view.model.level === "overlay") Object.defineProperty(view, "needs_clip", { value: true });
    }
    if (S.live) {
      models.answer.properties.text.change.connect(() => heard(JSON.parse(models.answer.text)));
      models.points.change.connect(dragged);
      doc.on_event("connection_lost", gone);
      doc.on_event("client_reconnected", back);
      listen();
      if (models.answer.text) heard(JSON.parse(models.answer.text));
    } else {
      const told = read("answers");
      answers = told.answers; put(told.beside); listen(); still(Object.keys(answers)[0]);
    }
    document.body.dataset.ready = "yes";
    return true;
  };
  const wait = () => { if (!found()) setTimeout(wait, 30); };
  wait();
})();
