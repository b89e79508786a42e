// Any two methods: the difference on each data set, its mean and interval. p-values only where they were planned.
"use strict";
(() => {
  const { results, plain, signed, element } = augbench;
  const form = document.getElementById("controls");
  const table = document.getElementById("sets");
  const status = document.getElementById("status");
  const extra = { sort: "" };
  let shown = null;

  // What Python tested: a method against the baseline or against copies, on the whole run by its own metric.
  // The other way round it is the same test, with the signs of its interval turned.
  function planned(a, b, whole) {
    if (!whole || !results.confirmatory || a === b) return null;
    const family = (one) => (one === results.methods[results.baseline] ? "baseline" : one === results.methods[results.reference] ? "copies" : "");
    const tested = (one, other) => results.against[results.methods.indexOf(one)][family(other)];
    if (family(b)) return tested(a, b);
    if (!family(a)) return null;
    const { low, high, ...found } = tested(b, a);
    return { ...found, low: low === null ? null : -high, high: low === null ? null : -low };
  }
  function show(state) {
    const chosen = augbench.selection(state);
    const { name } = results.metrics[chosen.metric];
    const found = augbench.pair(chosen, state.a, state.b);
    const tested = planned(state.a, state.b, chosen.whole);
    if (tested && tested.low !== null) [found.low, found.high] = [tested.low, tested.high];
    shown = { state, found };
    const n = found.sets.filter((one) => one.delta !== null).length;
    const sets = `${n} data set${n === 1 ? "" : "s"}`;
    status.textContent = finding(state, found, name, sets);
    facts(found, tested);
    document.getElementById("why").textContent = why(state, chosen, tested, n);
    fill(state, found);
    document.getElementById("all").hidden = true;
    document.getElementById("pair").hidden = false;
  }
  function finding({ a, b }, found, name, sets) {
    if (a === b) return `${a} on both sides: choose two methods.`;
    if (found.delta === null) return `${a} and ${b} share no draw of ${name}: nothing to compare.`;
    const word = found.delta > 0 ? "higher" : "lower";
    const better = found.higher ? "" : found.delta > 0 ? " (worse)" : " (better)";
    const much = Math.abs(found.delta) < 0.005 ? "as high as" : `${plain(Math.abs(found.delta), 2)} points ${word}${better} than`;
    const interval = found.low === null ? "" : `; 95 % interval ${signed(found.low)} to ${signed(found.high)}`;
    return `${a} scores ${much} ${b} in ${name}, over ${sets}${interval}.`;
  }
  function facts(found, tested) {
    const lines = [["won / tied / lost", `${found.wins} / ${found.ties} / ${found.losses}`]];
    if (tested) lines.push(["p, corrected by Holm", tested.holm], ["p, uncorrected", tested.p]);
    document.getElementById("facts").replaceChildren(...lines.map(([name, value]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, value))));
  }
  function why(state, chosen, tested, n) {
    if (state.a === state.b) return "";
    if (tested) return "A planned comparison: its p-value is corrected over all methods compared with the same reference.";
    const reason = chosen.whole ? "this pair was not planned" : chosen.subset ? "this is a subset" : "this is a secondary metric";
    return `Exploratory: ${reason}, so there is no p-value.` + (n === 1 ? " No interval over a single data set: its page has those over draws." : "");
  }
  function fill(state, found) {
    const on = augbench.scale(found.sets.map((one) => one.delta), matchMedia("(max-width: 640px)").matches ? 160 : 420);
    const heads = table.tHead.rows[0].cells;
    [state.a, state.b].forEach((name, i) => { (heads[i + 1].querySelector("button") || heads[i + 1]).textContent = name; });
    const number = (value, text) => element("td", { class: "num", "data-v": value ?? "" }, text);
    table.tBodies[0].replaceChildren(...found.sets.map((one) => {
      const words = one.states.map((word, i) => (word === "ok" ? "" : `${i ? state.b : state.a}: ${word}`)).filter(Boolean).join("; ");
      const head = element("th", { scope: "row" }, element("a", { href: results.pages[results.datasets.indexOf(one.dataset)] }, one.dataset));
      if (words) head.append(element("span", { class: "what" }, words));
      return element("tr", {}, head, number(one.a, plain(one.a)), number(one.b, plain(one.b)), number(one.delta, signed(one.delta)),
        element("td", { class: "lone" }, augbench.bar(on, one.delta, null, null, found.higher)));
    }));
    sort();
  }
  function sort() {
    const [column, direction] = extra.sort.split(".");
    if (["0", "1", "2", "3"].includes(column)) sortTable(table, Number(column), direction === "up" ? "ascending" : "descending");
    else for (const head of table.tHead.rows[0].cells) head.removeAttribute("aria-sort");
  }

  const write = augbench.bind(form, extra, show);
  table.addEventListener("sorted", () => {
    const heads = [...table.tHead.rows[0].cells];
    const at = heads.findIndex((head) => head.hasAttribute("aria-sort"));
    extra.sort = `${at}.${heads[at].getAttribute("aria-sort") === "ascending" ? "up" : "down"}`;
    write();
  });
  document.getElementById("swap").addEventListener("click", () => {
    [form.elements.a.value, form.elements.b.value] = [form.elements.b.value, form.elements.a.value];
    form.dispatchEvent(new Event("input"));
  });
  document.getElementById("link").addEventListener("click", (event) => augbench.copyLink(event.currentTarget, write));
  document.getElementById("csv").addEventListener("click", () => {
    const { state, found } = shown;
    const rows = found.sets.map((one) => [one.dataset, one.a, one.b, one.delta, ...one.states]);
    augbench.saveCsv("comparison.csv", [["dataset", state.a, state.b, "difference", `${state.a}: state`, `${state.b}: state`], ...rows]);
  });
})();
