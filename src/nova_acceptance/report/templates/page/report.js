"use strict";
(() => {
  const words = JSON.parse(document.getElementById("words").textContent);
  const rows = [...document.querySelectorAll(".test")];
  const form = document.querySelector(".filters");
  const shown = form.querySelector("output");
  const noneFound = document.querySelector(".none-found");
  // What rows say by themselves; what was asked and answered is added once it is unpacked.
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const details = [];
  const FIND = "#find=";

  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };

  const duration = (seconds) =>
    seconds < 1 ? words.milliseconds.replace("{n}", (1000 * seconds).toFixed(1))
      : words.seconds.replace("{n}", seconds.toFixed(1));

  const unpack = async (chunk) => {
    const octets = Uint8Array.from(atob(chunk), (letter) => letter.charCodeAt(0));
    const stream = new Blob([octets]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return JSON.parse(await new Response(stream).text());
  };

  const canUnpack = "DecompressionStream" in window;

  const ready = (async () => {
    const packed = document.getElementById("details").textContent.trim();
    if (!canUnpack) return;
    for (const chunk of packed ? packed.split("\n") : []) {
      for (const detail of await unpack(chunk)) {
        const number = details.push(detail) - 1;
        const said = [...(detail.evidence || []).map((line) => line.slice(0, 4).join(" ")), detail.text || ""];
        texts[number] += ` ${said.join(" ").toLowerCase()}`;
      }
    }
    if (form.elements.search.value) show();
  })();

  // A row's own part, made when it is opened for the first time.

  const evidence = (lines) => {
    const table = element("table");
    const head = table.createTHead().insertRow();
    for (const title of [words.asked, words.source, words.target, words.answer, words.time]) {
      const cell = element("th", title);
      cell.scope = "col";
      head.append(cell);
    }
    const body = table.createTBody();
    for (const [asked, source, target, answer, seconds] of lines) {
      const line = body.insertRow();
      line.insertCell().append(element("code", asked));
      line.insertCell().textContent = source;
      line.insertCell().textContent = target;
      line.insertCell().append(element("code", answer));
      const time = line.insertCell();
      time.className = "number";
      time.textContent = duration(seconds);
    }
    const wide = element("div", undefined, "wide");
    wide.tabIndex = 0;
    wide.setAttribute("role", "group");
    wide.setAttribute("aria-label", words.evidence);
    wide.append(table);
    return wide;
  };

  const past = (entries) => {
    const list = element("ul", undefined, "past");
    for (const [number, outcome, seconds] of entries) {
      const run = words.runs[number];
      list.append(element("li", `${run}: ${words.outcomes[outcome] || outcome}, ${duration(seconds)}`, outcome));
    }
    return list;
  };

  const plain = (text) => {
    const block = element("pre", text);
    block.tabIndex = 0;
    return block;
  };

  const fill = async (row) => {
    if (row.querySelector(".more")) return;
    const more = element("div", undefined, "more");
    row.append(more);
    await ready;
    const detail = details[rows.indexOf(row)];
    const add = (title, part) => more.append(element("h3", title), part);
    if (detail && detail.cause) {
      const cause = element("a", `${words.cause}: ${row.querySelector(".why").textContent}`);
      cause.href = `#${detail.cause}`;
      const line = element("p");
      line.append(cause);
      more.append(line);
    }
    if (row.classList.contains("no-result")) more.append(element("p", words.noResult));
    if (detail === undefined) {
      more.append(element("p", canUnpack ? words.leftOut : words.tooOld));
    } else {
      if (detail.text) add(words.failure, plain(detail.text));
      if (detail.evidence) add(words.evidence, evidence(detail.evidence));
      for (const [heading, text] of detail.sections || []) add(`${words.output}: ${heading}`, plain(text));
      if (detail.past) add(words.past, past(detail.past));
      if (!detail.text && !detail.evidence && !detail.sections) more.append(element("p", words.nothing));
    }
    const foot = element("p");
    for (const marker of row.dataset.markers.split(" ").filter(Boolean)) foot.append(element("span", marker, "tag"));
    if (detail && detail.worker) foot.append(element("span", `${words.worker} ${detail.worker}`, "tag"));
    const link = element("a", words.link);
    link.href = `#${row.id}`;
    foot.append(" ", link);
    more.append(foot);
  };

  // Search and filters.

  const matches = (number, wanted) => {
    const row = rows[number];
    return wanted.every((word) => {
      const [kind, value] = word.includes(":") ? [word.slice(0, word.indexOf(":")), word.slice(word.indexOf(":") + 1)] : ["", word];
      if (kind === "subject") return row.dataset.subjects.toLowerCase().split("\n").includes(value);
      if (kind === "at") return (row.dataset.culprit || "").toLowerCase().split(" ").includes(value);
      if (kind === "cause") return (row.querySelector(".why") || row).textContent.toLowerCase() === value;
      return texts[number].includes(word);
    });
  };

  const show = () => {
    const wanted = form.elements.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const { layer, outcome, marker } = form.elements;
    let count = 0;
    rows.forEach((row, number) => {
      const fits = (!layer.value || row.dataset.layer === layer.value)
        && (!outcome.value || row.classList.contains(outcome.value))
        && (!marker.value || row.dataset.markers.split(" ").includes(marker.value))
        && matches(number, wanted);
      if (row.hidden === fits) row.hidden = !fits;
      count += fits;
    });
    shown.textContent = words.shown.replace("{shown}", count).replace("{all}", rows.length);
    noneFound.hidden = count > 0;
  };

  let pending;
  form.addEventListener("input", () => {
    clearTimeout(pending);
    pending = setTimeout(() => {
      const wanted = form.elements.search.value;
      // The address of what is shown, to be sent to somebody else.
      history.replaceState(null, "", wanted ? address(wanted) : "#tests");
      show();
    }, 60);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(show));

  const address = (wanted) => `${FIND}${encodeURIComponent(wanted)}`;
  for (const link of document.querySelectorAll("[data-find]")) link.setAttribute("href", address(link.dataset.find));

  document.addEventListener("toggle", (event) => {
    if (event.target.open && event.target.classList.contains("test")) fill(event.target);
  }, true);

  let found = "";
  const find = async (wanted) => {
    form.reset();
    form.elements.search.value = found = wanted;
    await ready;
    show();
    document.getElementById("tests").scrollIntoView();
  };

  const follow = () => {
    if (location.hash.startsWith(FIND)) {
      find(decodeURIComponent(location.hash.slice(FIND.length)));
      return;
    }
    if (found && form.elements.search.value === found) {
      // Gone back to before it was looked for.
      form.reset();
      show();
    }
    found = "";
    const target = document.getElementById(location.hash.slice(1));
    if (!target || target.tagName !== "DETAILS") return;
    if (target.hidden) {
      form.reset();
      show();
    }
    for (let part = target; part; part = part.parentElement.closest("details")) part.open = true;
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", follow);
  document.addEventListener("click", (event) => {
    // A link that is followed a second time does not change the address.
    const link = event.target.closest("a");
    if (link && link.hash && link.hash === location.hash) follow();
  });

  form.hidden = false;
  show();
  rows.filter((row) => row.matches(".failed, .error")).slice(0, 3).forEach((row) => { row.open = true; });
  follow();
})();
