// What the index and the comparison share: averages of what results.js holds, numbers as text, the state in the URL.
// The averages are those of augbench.leaderboard.compare; tests/leaderboard/browser holds both against each other.
"use strict";
const augbench = (() => {
  const results = augbenchResults;
  const [OK, NOT_APPLICABLE, NOT_RUN, ABSENT] = [0, 1, 2, 3];
  const none = (value) => value === null || value === undefined;
  const mean = (values) => (values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null);

  // -- averages -----------------------------------------------------------------------------------------------------
  // The blocks of a metric in a subset, by data set and then by cell (scenario and classifier).
  function view({ metric = results.metric, scenario = null, classifier = null, datasets = null }) {
    const wanted = (list, name) => (none(name) ? null : list.indexOf(name));
    const s = wanted(results.scenarios, scenario);
    const c = wanted(results.classifiers, classifier);
    const only = datasets && new Set(datasets.map((name) => results.datasets.indexOf(name)));
    const sets = new Map();
    for (const block of results.metrics[metric] ? results.metrics[metric].blocks : []) {
      if ((s !== null && block[1] !== s) || (c !== null && block[2] !== c) || (only && !only.has(block[0]))) continue;
      if (!sets.has(block[0])) sets.set(block[0], new Map());
      const cells = sets.get(block[0]);
      const cell = `${block[1]} ${block[2]}`;
      if (!cells.has(cell)) cells.set(cell, []);
      cells.get(cell).push(block);
    }
    return { metric, sets: [...sets].sort((a, b) => a[0] - b[0]).map(([id, cells]) => ({ id, cells: [...cells.values()] })) };
  }

  // Mean of a number over draws, then over the cells of a data set: one per data set, null where there is none.
  function means(subset, number) {
    return subset.sets.map(({ cells }) => {
      const found = [];
      for (const blocks of cells) {
        let [sum, draws] = [0, 0];
        for (const block of blocks) {
          const value = number(block[4]);
          if (value !== null) [sum, draws] = [sum + block[3] * value, draws + block[3]];
        }
        if (draws) found.push(sum / draws);
      }
      const value = mean(found);
      return value === null ? null : value / results.scale;
    });
  }
  const scores = (subset, method) => means(subset, (values) => values[method]);
  const differences = (subset, method, other) =>
    means(subset, (values) => (none(values[method]) || none(values[other]) ? null : values[method] - values[other]));

  // Mean over data sets and Student's interval, as statistics.t_interval; none on a single data set, which needs draws.
  function overall(values, n_sets) {
    const found = values.filter((value) => value !== null);
    const centre = mean(found);
    if (found.length < 2 || n_sets < 2) return { mean: centre, low: null, high: null };
    const spread = Math.sqrt(found.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (found.length - 1));
    const error = spread / Math.sqrt(found.length);
    if (error <= 2 / results.scale) {
      const same = Math.abs(centre) <= 1e-12 ? centre : null;
      return { mean: centre, low: same, high: same };
    }
    const half = results.t[found.length - 2] * error;
    return { mean: centre, low: centre - half, high: centre + half };
  }

  // Won, tied and lost, with differences that are equal to six decimals as ties.
  function tally(values, higher) {
    const signs = values.filter((value) => value !== null).map((value) => Math.sign(Math.round(value * 1e6)) * (higher ? 1 : -1));
    const count = (sign) => signs.filter((one) => one === sign || (sign === 0 && one === 0)).length;
    return { wins: count(1), ties: count(0), losses: count(-1) };
  }

  // How many draws of each data set have which state, for every method.
  function states(subset) {
    return subset.sets.map(({ cells }) => {
      let draws = 0;
      const counts = results.methods.map(() => ({ failed: 0, 1: 0, 2: 0, 3: 0 }));
      for (const block of cells.flat()) {
        draws += block[3];
        for (const [method, number] of block[5]) counts[method].failed += number;
        for (const [method, code] of block[6]) counts[method][code] += block[3];
      }
      return { draws, counts };
    });
  }
  function word({ draws, counts }, method) {
    const of = counts[method];
    let found = "ok";
    for (const [name, number] of [["failed", of.failed], ["not applicable", of[NOT_APPLICABLE]], ["not run", of[NOT_RUN] + of[ABSENT]]])
      if (number) found = number === draws ? name : `partly ${name}`;
    return found;
  }

  // Average ranks within each data set; scores that are equal to six decimals share the mean of their ranks.
  function meanRanks(table, ranked, higher) {
    const sums = new Map(ranked.map((method) => [method, 0]));
    const n = ranked.length ? table[ranked[0]].length : 0;
    for (let d = 0; d < n; d += 1) {
      const order = ranked.map((method) => [(higher ? -1 : 1) * Math.round(table[method][d] * 1e6), method]).sort((a, b) => a[0] - b[0]);
      for (let i = 0, j; i < order.length; i = j) {
        for (j = i; j < order.length && order[j][0] === order[i][0]; ) j += 1;
        for (let k = i; k < j; k += 1) sums.set(order[k][1], sums.get(order[k][1]) + (i + j + 1) / 2);
      }
    }
    for (const method of ranked) sums.set(method, sums.get(method) / n);
    return sums;
  }

  // Every method against the baseline on a subset, in points: what compare(…, classifier, scenario, datasets) returns.
  function compare(selection) {
    const subset = view(selection);
    const higher = !results.metrics[subset.metric] || results.metrics[subset.metric].higher;
    const state = states(subset);
    const all = results.methods.map((_, method) => method);
    const total = (method, key) => state.reduce((sum, { counts }) => sum + counts[method][key], 0);
    const draws = state.reduce((sum, one) => sum + one.draws, 0);
    const listed = all.filter((method) => total(method, ABSENT) < draws);
    const table = all.map((method) => scores(subset, method));
    const ranked = listed.filter((method) => [NOT_APPLICABLE, NOT_RUN, ABSENT].every((code) => !total(method, code)));
    const ranks = meanRanks(table, ranked, higher);
    const tuned = view({ ...selection, metric: `${subset.metric}_tuned` });
    const shown = Object.keys(results.metrics).filter((name) => name !== subset.metric && !name.endsWith("_tuned"));
    const others = new Map(shown.filter((name) => selection.shown && selection.shown.includes(name)).map((name) => [name, view({ ...selection, metric: name })]));
    const points = (value) => (value === null ? null : 100 * value);
    const average = (values) => points(mean(values.filter((value) => value !== null)));
    const rows = listed.map((method) => {
      const found = differences(subset, method, results.baseline);
      const { mean: delta, low, high } = overall(found, subset.sets.length);
      const tunedSets = tuned.sets.length ? differences(tuned, method, results.baseline) : [];
      const count = tally(found, higher);
      return {
        id: method, method: results.methods[method], baseline: method === results.baseline,
        delta: points(delta), low: points(low), high: points(high),
        ...count, ties: method === results.baseline ? 0 : count.ties,
        mean_rank: ranks.has(method) ? ranks.get(method) : null,
        delta_tuned: points(overall(tunedSets, tuned.sets.length).mean),
        score: average(table[method]), n_failed: total(method, "failed"),
        ...Object.fromEntries([...others].map(([name, one]) => [name, average(scores(one, method))])),
        deltas: found.map(points), states: state.map((one) => word(one, method)),
      };
    });
    const gain = (row) => (row.delta === null ? -Infinity : higher ? row.delta : -row.delta);
    rows.sort((a, b) => (a.mean_rank === null) - (b.mean_rank === null) || gain(b) - gain(a) || b.baseline - a.baseline
      || (a.method < b.method ? -1 : 1));
    return { metric: subset.metric, higher, datasets: subset.sets.map(({ id }) => results.datasets[id]), rows };
  }

  // Method a against method b on a subset, in points.
  function pair(selection, a, b) {
    const subset = view(selection);
    const [first, second] = [results.methods.indexOf(a), results.methods.indexOf(b)];
    const found = differences(subset, first, second);
    const [mine, theirs] = [scores(subset, first), scores(subset, second)];
    const state = states(subset);
    const { higher } = results.metrics[subset.metric];
    const { mean: delta, low, high } = overall(found, subset.sets.length);
    const points = (value) => (value === null ? null : 100 * value);
    return {
      higher, delta: points(delta), low: points(low), high: points(high), ...tally(found, higher),
      sets: subset.sets.map(({ id }, i) => ({
        dataset: results.datasets[id], a: points(mine[i]), b: points(theirs[i]), delta: points(found[i]),
        states: [word(state[i], first), word(state[i], second)],
      })),
    };
  }

  // -- numbers as text, as in leaderboard/format.py, and the geometry of leaderboard/figures.py --------------------------
  // As Python writes it: what lies exactly between two numbers goes to the even one.
  function fixed(value, decimals) {
    if ((Math.abs(value) * 2 ** (decimals + 1)) % 2 !== 1) return value.toFixed(decimals);
    return ((2 * Math.round((value * 10 ** decimals) / 2)) / 10 ** decimals).toFixed(decimals);
  }
  const plain = (value, decimals = 1) => (none(value) ? "–" : fixed(value, decimals));
  function signed(value, decimals = 2) {
    if (none(value)) return "–";
    const text = fixed(Math.abs(value), decimals);
    return Number(text) === 0 ? text : (value > 0 ? "+" : "−") + text;
  }
  function quantile(values, share) {
    const sorted = [...values].sort((a, b) => a - b);
    const at = share * (sorted.length - 1);
    const below = Math.floor(at);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }
  function scale(values, width = 104) {
    const found = values.filter((value) => !none(value));
    if (!found.length) found.push(0);
    const size = found.map(Math.abs);
    const reach = Math.max(1, Math.min(Math.max(...size), 3 * quantile(size, 0.75)));
    const clip = (value, low, high) => Math.min(Math.max(value, low), high);
    const low = clip(Math.min(...found), -reach, -0.15 * reach);
    const high = clip(Math.max(...found), 0.15 * reach, reach);
    const x = (value) => Math.round(10 * (5 + ((clip(value, low, high) - low) / (high - low)) * (width - 10))) / 10;
    return { low, high, width, x };
  }
  const fullHeat = (values) => Math.max(2, values.length ? quantile(values.map(Math.abs), 0.95) : 0);
  function heat(value, full, higher) {
    if (none(value) || Math.abs(value) < 0.005) return ["", 0];
    return [value > 0 === higher ? "gain" : "loss", Math.round(1000 * Math.min(1, Math.abs(value) / full) ** 0.8) / 1000];
  }

  // -- elements ----------------------------------------------------------------------------------------------------------
  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }
  function drawn(name, attributes, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }
  // An interval, or with low and high at null the difference alone as a bar from zero.
  function bar(on, value, low, high, higher) {
    if (none(value)) return element("span", { class: "none" }, "–");
    const span = !none(low);
    const shape = span && low <= 0 && high >= 0 ? "open" : value === 0 ? "open" : value > 0 === higher ? "up" : "down";
    const label = span ? `${signed(low)} to ${signed(high)}` : signed(value);
    const line = drawn("line", { class: "span", x1: on.x(span ? low : 0), x2: on.x(span ? high : value), y1: 8, y2: 8 });
    return drawn("svg", { class: `interval ${shape}`, width: on.width, height: 16, viewBox: `0 0 ${on.width} 16`, role: "img", "aria-label": label },
      drawn("line", { class: "zero", x1: on.x(0), x2: on.x(0), y1: 0, y2: 16 }), line, drawn("circle", { cx: on.x(value), cy: 8, r: 3.4 }));
  }

  // -- the form, the URL -------------------------------------------------------------------------------------------------
  // Keep a form and the hash of the URL the same; `changed` is called with the state, also once at the start.
  function bind(form, extra, changed) {
    const fields = [...form.elements].filter((field) => field.name);
    const usual = new Map(fields.map((field) => [field.name, field.value]));
    const text = () => {
      const found = new URLSearchParams();
      for (const field of fields) if (field.value !== usual.get(field.name)) found.set(field.name, field.value);
      for (const [name, value] of Object.entries(extra)) if (value) found.set(name, value);
      return found.toString();
    };
    const write = () => history.replaceState(null, "", text() ? `#${text()}` : location.pathname + location.search);
    const state = () => Object.fromEntries(fields.map((field) => [field.name, field.value]));
    const read = () => {
      // an anchor, the skip link's say, is no state: what was chosen stays, in the address too
      if (location.hash && !location.hash.includes("=")) {
        if (text()) write();
        return changed(state());
      }
      const found = new URLSearchParams(location.hash.slice(1));
      for (const field of fields) {
        const value = found.has(field.name) ? found.get(field.name) : usual.get(field.name);
        const known = field.tagName !== "SELECT" || [...field.options].some((option) => option.value === value);
        field.value = known ? value : usual.get(field.name);
      }
      for (const name of Object.keys(extra)) extra[name] = found.get(name) || "";
      changed(state());
    };
    // browsers allow a page a few changes of its address a second: not one for every letter typed
    let timer;
    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(write, 150);
      changed(state());
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", (event) => {
      event.preventDefault();
      clearTimeout(timer);
      history.replaceState(null, "", location.pathname + location.search);
      read();
    });
    addEventListener("hashchange", read);
    form.hidden = false;
    read();
    return write;
  }
  // What a selection of the form means for the averages; whether it is the whole run by its own metric.
  function selection(state) {
    const group = state.group || null;
    const datasets = group && results.datasets.filter((_, i) => results.groups[i] === group);
    const metric = state.metric || results.metric;
    const subset = Boolean(group || state.scenario || state.classifier);
    return { metric, scenario: state.scenario || null, classifier: state.classifier || null, datasets, subset, whole: !subset && metric === results.metric };
  }

  function saveCsv(name, rows) {
    const field = (value) => (none(value) ? "" : /[",\r\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
    const text = rows.map((row) => row.map(field).join(",")).join("\r\n");
    const link = element("a", { download: name, href: URL.createObjectURL(new Blob(["\ufeff", text, "\r\n"], { type: "text/csv" })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
  async function copyLink(button, write) {
    write();
    const words = button.textContent;
    let done = "Copied";
    try {
      await navigator.clipboard.writeText(location.href);
    } catch {
      done = "Copy it from the address bar";
    }
    button.textContent = done;
    setTimeout(() => { button.textContent = words; }, 2000);
  }

  return { results, compare, pair, plain, signed, scale, heat, fullHeat, element, bar, bind, selection, saveCsv, copyLink, overall };
})();
