// The filters of the index: both tables on a subset, by another metric, of some methods. What Python wrote comes back on reset.
"use strict";
(() => {
  const { results, plain, signed } = augbench;
  const form = document.getElementById("controls");
  const board = document.querySelector("table.board");
  const matrix = document.querySelector("table.matrix");
  const heads = [...board.tHead.rows[0].cells];
  const keys = heads.map((head) => head.dataset.key);
  const unit = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
  // Python wrote both tables in the order of results.methods, the matrix without the baseline.
  const written = [...board.tBodies[0].rows].map((row, id) => ({ id, row, cells: [...row.cells].map(keep) }));
  const compared = written.map(({ id }) => id).filter((id) => id !== results.baseline);
  const heats = matrix ? [...matrix.tBodies[0].rows].map((row, i) => ({ id: compared[i], row, cells: [...row.cells].map(keep) })) : [];
  const scoreHead = keep(heads[keys.indexOf("score")].querySelector("abbr"));
  const legend = [...document.querySelectorAll("[data-full]")].map((one) => ({ one, words: one.textContent }));
  const extra = { sort: "" };
  let last = { key: "", found: null };

  function keep(cell) {
    return { cell, nodes: [...cell.childNodes], look: cell.className, title: cell.title, style: cell.getAttribute("style"), data: cell.dataset.v };
  }
  function restore({ cell, nodes, look, style, data }) {
    cell.replaceChildren(...nodes);
    cell.className = look;
    if (style === null) cell.removeAttribute("style");
    else cell.setAttribute("style", style);
    if (data !== undefined) cell.dataset.v = data;
  }
  function number(cell, value, shown) {
    cell.dataset.v = value ?? "";
    cell.textContent = shown;
  }

  // What stands in a cell of the board on a subset; columns that say nothing about it are hidden by style.
  function fill(kept, key, row, on, higher) {
    const { cell } = kept;
    if (key === "interval") {
      const shown = row.baseline || row.low === null ? augbench.element("span", { class: "none" }, "–") : augbench.bar(on, row.delta, row.low, row.high, higher);
      cell.replaceChildren(shown);
    } else if (key === "wtl") cell.textContent = row.baseline ? "" : `${row.wins}/${row.ties}/${row.losses}`;
    else if (key === "n_failed") number(cell, row.n_failed, row.n_failed || "");
    else if (key === "delta" || key === "delta_tuned") number(cell, row[key], signed(row[key]));
    else if (key in row) number(cell, row[key], plain(row[key]));
  }

  function onSubset(chosen) {
    const found = augbench.compare({ ...chosen, shown: keys });
    const others = found.rows.filter((row) => !row.baseline);
    const on = augbench.scale(others.flatMap((row) => [row.low, row.high, row.delta]));
    const rows = new Map(found.rows.map((row) => [row.id, row]));
    for (const { id, row, cells } of written) {
      const now = rows.get(id);
      row.dataset.absent = now ? "" : "yes";
      if (!now) continue;
      row.classList.toggle("unranked", now.mean_rank === null);
      cells.forEach((cell, i) => { if (i) fill(cell, keys[i], now, on, found.higher); });
    }
    if (matrix) onMatrix(found, rows);
    return found;
  }
  function onMatrix(found, rows) {
    const full = augbench.fullHeat(found.rows.filter((row) => !row.baseline).flatMap((row) => row.deltas).filter((value) => value !== null));
    const sign = found.higher ? 1 : -1;
    const tops = found.datasets.map((_, j) => Math.max(...found.rows.filter((row) => !row.baseline && row.deltas[j] !== null).map((row) => sign * row.deltas[j])).toFixed(4));
    const columns = results.columns.map((set) => found.datasets.indexOf(results.datasets[set]));
    for (const { id, cells } of heats) {
      const now = rows.get(id);
      if (!now) continue;
      cells.slice(1).forEach(({ cell }, i) => {
        const j = columns[i];
        if (j < 0) return;
        const [value, state] = [now.deltas[j], now.states[j]];
        const [side, strength] = augbench.heat(value, full, found.higher);
        cell.className = side;
        if (side) cell.setAttribute("style", `--s:${strength}`);
        else cell.removeAttribute("style");
        const best = value !== null && tops[j] > 0 && (sign * value).toFixed(4) === tops[j];
        const shown = best ? augbench.element("b", { class: "best" }, signed(value, 1)) : signed(value, 1);
        const alone = ["failed", "not applicable", "not run"].includes(state);
        cell.replaceChildren(...(alone ? [] : [shown]), ...(state === "ok" ? [] : [augbench.element("span", { class: "word" }, state)]));
      });
    }
    for (const { one } of legend) one.textContent = ((one.dataset.full === "gain") === found.higher ? "+" : "−") + plain(full);
  }
  function onWhole() {
    for (const { row, cells } of written) {
      row.dataset.absent = "";
      row.classList.toggle("unranked", row.dataset.unranked === "yes");
      cells.forEach(restore);
    }
    for (const { cells } of heats) cells.forEach(restore);
    for (const { one, words } of legend) one.textContent = words;
  }
  function order(place) {
    for (const kept of [written, heats]) {
      if (!kept.length) continue;
      kept[0].row.parentNode.append(...[...kept].sort((a, b) => place(a.id) - place(b.id)).map(({ row }) => row));
    }
  }

  function wanted(id, state) {
    const found = results.methods[id].toLowerCase().includes((state.q || "").trim().toLowerCase());
    return found && (!state.family || results.families[id] === state.family);
  }
  function sort() {
    const [key, direction] = extra.sort.split(".");
    const column = keys.indexOf(key);
    if (column >= 0 && !("nosort" in heads[column].dataset)) sortTable(board, column, direction === "up" ? "ascending" : "descending");
    else for (const head of heads) head.removeAttribute("aria-sort");
  }

  function show(state) {
    const chosen = augbench.selection(state);
    const { name } = results.metrics[chosen.metric];
    const key = chosen.whole ? "" : JSON.stringify(chosen);
    if (key !== last.key) {
      last = { key, found: chosen.whole ? onWhole() : onSubset(chosen) };
      relabel(chosen, name);
      hideColumns(new Set(setsOf(last.found)));
    }
    const { found } = last;
    const places = new Map((found ? found.rows : written).map(({ id }, i) => [id, i]));
    order((id) => places.get(id) ?? places.size);
    sort();
    for (const { id, row } of written) row.hidden = row.dataset.absent === "yes" || !wanted(id, state);
    for (const { id, row } of heats) row.hidden = written[id].row.hidden;
    const shown = written.filter(({ row }) => !row.hidden);
    say(chosen, shown.length, setsOf(found));
  }
  const setsOf = (found) => (found ? found.datasets : results.columns.map((set) => results.datasets[set]));

  function relabel(chosen, name) {
    board.classList.toggle("exploratory", !chosen.whole);
    board.classList.toggle("subset", chosen.subset);
    for (const one of document.querySelectorAll(".omnibus .confirmatory")) one.hidden = !chosen.whole;
    for (const one of document.querySelectorAll(".metric-name")) one.textContent = `Δ ${name}`;
    if (chosen.whole) restore(scoreHead);
    else scoreHead.cell.textContent = name;
    scoreHead.cell.title = chosen.whole ? scoreHead.title : `Mean ${name} over data sets, in points (hundredths).`;
    // what the column of the chosen metric shows already, and what another metric does not have
    keys.forEach((key, i) => {
      const hidden = key === chosen.metric || (key === "delta_tuned" && chosen.metric !== results.metric);
      heads[i].hidden = hidden;
      for (const { cells } of written) cells[i].cell.hidden = hidden;
    });
  }
  function hideColumns(sets) {
    if (!matrix) return;
    [...matrix.tHead.rows[0].cells].forEach((head, i) => {
      const hidden = i > 0 && !sets.has(results.datasets[results.columns[i - 1]]);
      if (head.hidden === hidden) return;
      head.hidden = hidden;
      for (const { cells } of heats) cells[i].cell.hidden = hidden;
    });
  }
  function say(chosen, shown, sets) {
    let words = `${shown} of ${unit(written.length, "method")} on ${sets.length} of ${unit(results.datasets.length, "data set")}.`;
    if (!shown) words += " No method matches: shorten the name, or reset.";
    if (!chosen.whole) {
      words += ` Exploratory: ${chosen.subset ? "a subset" : "a secondary metric"}, so no p-values and no verdict.`;
      if (sets.length === 1) words += " No interval over a single data set: its page has those over draws.";
    } else if (shown < written.length && results.confirmatory) words += " Ranks and p-values are those among all methods.";
    document.getElementById("status").textContent = words;
  }

  function csv() {
    const visible = heads.map((head, i) => i).filter((i) => getComputedStyle(heads[i]).display !== "none");
    const text = (cell) => (cell.dataset.v === undefined ? cell.textContent.trim().replace(/\s+/g, " ") : cell.dataset.v);
    const interval = (cell) => { const svg = cell.querySelector("svg"); return svg ? svg.getAttribute("aria-label").replaceAll("−", "-").replaceAll("+", "").split(" to ") : ["", ""]; };
    const rows = [visible.flatMap((i) => (keys[i] === "interval" ? ["low", "high"] : [keys[i] === "score" ? heads[i].textContent : keys[i]]))];
    for (const row of board.tBodies[0].rows) {
      if (!row.hidden) rows.push(visible.flatMap((i) => (keys[i] === "interval" ? interval(row.cells[i]) : [text(row.cells[i])])));
    }
    augbench.saveCsv("leaderboard.csv", rows);
  }

  for (const { row } of written) row.dataset.unranked = row.classList.contains("unranked") ? "yes" : "";
  const write = augbench.bind(form, extra, show);
  board.addEventListener("sorted", ({ detail }) => {
    extra.sort = `${detail.key}.${detail.direction === "ascending" ? "up" : "down"}`;
    write();
  });
  // the first filter would pay for reading all numbers and for compiling: do it while nothing is asked
  (window.requestIdleCallback || setTimeout)(() => augbench.compare({ ...augbench.selection({}), shown: keys }));
  document.getElementById("csv").addEventListener("click", csv);
  document.getElementById("link").addEventListener("click", (event) => augbench.copyLink(event.currentTarget, write));
})();
