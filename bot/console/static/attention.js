// Tells a worker of new cases: the number in the title, and a sound or a notification where this browser was asked to.

const SOUND = "zorgbrug.sound";
const NOTIFY = "zorgbrug.notify";

export function attend() {
  for (const [id, key] of [["sound", SOUND], ["notify", NOTIFY]]) {
    const box = document.getElementById(id);
    if (!box) continue;
    box.checked = localStorage.getItem(key) === "1";
    box.addEventListener("change", async () => {
      if (box.checked && key === NOTIFY && (await Notification.requestPermission()) !== "granted") box.checked = false;
      localStorage.setItem(key, box.checked ? "1" : "0");
    });
  }
  const title = document.title;
  let known = Number(document.querySelector("[data-waiting]")?.dataset.waiting ?? 0);
  showCount(title, known);
  document.addEventListener("waiting", ({ detail: count }) => {
    showCount(title, count);
    if (count > known) {
      const line = document.querySelector("[data-waiting]")?.textContent ?? "";
      document.getElementById("news").textContent = line;
      if (localStorage.getItem(SOUND) === "1") beep();
      if (localStorage.getItem(NOTIFY) === "1" && Notification.permission === "granted") new Notification("Zorgbrug", { body: line });
    }
    known = count;
  });
}

function showCount(title, count) {
  document.title = count ? `(${count}) ${title}` : title;
}

function beep() {
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  volume.gain.value = 0.1;
  tone.frequency.value = 660;
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.25);
}
