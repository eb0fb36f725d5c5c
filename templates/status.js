"use strict";
// Foreign text reaches the page as text alone: nothing here writes HTML.
(() => {
  const find = (id) => document.getElementById(id);
  const every = Number(document.body.dataset.pollMs);
  const words = {
    asOf: { en: "As of", ko: "기준 시각" },
    snapshot: { en: "Snapshot, does not update. As of", ko: "갱신되지 않는 기록입니다. 기준 시각" },
    unknown: { en: "Unknown", ko: "확인되지 않음" },
    lastKnown: { en: "Last known state of", ko: "마지막으로 확인된 시각" },
  };
  let last = null;
  let heard = new Date();
  let silent = false;

  const element = (name, className, ...children) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...children);
    return made;
  };
  const both = (text) => ["en", "ko"].map((lang) => {
    const span = element("span", "", String(text?.[lang] ?? ""));
    span.lang = lang;
    return span;
  });
  // A live region is left alone while it says the same: it would be read out again.
  const say = (id, text) => {
    const place = find(id), now = JSON.stringify(text ?? null);
    if (place.dataset.said === now) return;
    place.dataset.said = now;
    place.replaceChildren(...(text ? both(text) : []));
  };

  const show = (status) => {
    find("overall").dataset.state = status.overall;
    say("headline", status.headline);
    say("freshness", words.asOf);
    find("updated").textContent = status.updated || "–";
    find("notices").replaceChildren(...status.notices.map((notice) => element("p", "", ...both(notice))));
    find("components").replaceChildren(...status.components.map((one) => {
      const row = element("li", "", element("span", "name", ...both(one.name)), element("span", "since", ...(one.since ? both(one.since) : [])), element("span", "state", ...both(one.word)));
      row.dataset.state = one.state;
      return row;
    }));
    say("remark", status.remark);
    const incident = status.incident;
    find("incident").hidden = !incident;
    say("began", incident?.began);
    say("expected", incident?.expected);
    find("updates").replaceChildren(...(incident?.updates ?? []).toReversed().map((news) => {
      const when = element("p", "when", element("strong", "", ...both(news.word)), " ", element("time", "", news.at));
      return element("li", "", when, element("p", "", ...both(news.text)));
    }));
  };

  const clock = (lang) => {
    const form = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "short" };
    try {
      return new Intl.DateTimeFormat(lang, { ...form, timeZone: document.body.dataset.timeZone }).format(heard);
    } catch {
      return new Intl.DateTimeFormat(lang, form).format(heard);
    }
  };
  // The last green is no news: what nobody answers for is unknown.
  const showNothingKnown = () => {
    silent = true;
    find("overall").dataset.state = "unknown";
    say("headline", { en: `Status unknown: no answer since ${clock("en")}`, ko: `상태를 알 수 없습니다: ${clock("ko")}부터 응답이 없습니다` });
    say("freshness", words.lastKnown);
    for (const row of find("components").children) {
      row.dataset.state = "unknown";
      row.querySelector(".since").textContent = "";
      row.querySelector(".state").replaceChildren(...both(words.unknown));
    }
  };

  const poll = async () => {
    try {
      const answer = await fetch("status.json", { cache: "no-store", signal: AbortSignal.timeout(Math.max(every, 5000)) });
      const status = await answer.json();
      if (!answer.ok || status.format !== "backdraft.status/1") throw new Error("no status");
      const now = JSON.stringify(status);
      if (silent || now !== last) show(status);
      [last, heard, silent] = [now, new Date(), false];
    } catch {
      showNothingKnown();
    }
  };
  // The next poll waits for the answer to this one.
  const keepPolling = async () => {
    await poll();
    setTimeout(keepPolling, every);
  };

  const prefersKorean = navigator.language?.toLowerCase().startsWith("ko");
  if (prefersKorean) find("ko").checked = true;
  const setLanguage = () => { document.documentElement.lang = find("ko").checked ? "ko" : "en"; };
  document.querySelector(".languages").addEventListener("change", setLanguage);
  setLanguage();

  if (location.protocol === "file:") {
    say("freshness", words.snapshot);
  } else {
    setTimeout(keepPolling, every);
    // A machine that slept shows what was true before.
    document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") poll(); });
  }
})();
