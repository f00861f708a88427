/* The moment of a new tier: a card that leaves by itself and takes no focus, and a short shower of paper. */

const cardMs = 7_000;
const showerMs = 2_600;
const pieces = 90;
const colors = ["#0f766e", "#f5c45e", "#e07a5f", "#7fb3a8", "#8a7bd1"];

const $ = (id) => document.getElementById(id);
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

let closing;

export function celebrate({ title, text, tone }) {
  const card = $("cheer");
  $("cheer-title").textContent = title;
  $("cheer-text").textContent = text;
  card.dataset.tone = tone;
  // show() moves the focus into a dialog, also when it is not modal; whoever is typing goes on typing.
  const focused = document.activeElement;
  if (!card.open) card.show();
  focused?.focus?.({ preventScroll: true });
  clearTimeout(closing);
  closing = setTimeout(() => card.close(), cardMs);
  if (!still()) shower($("confetti"));
}

export function prepareCelebration() {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && $("cheer").open) $("cheer").close();
  });
}

function shower(canvas) {
  canvas.hidden = false;
  const scale = Math.min(devicePixelRatio, 2);
  canvas.width = innerWidth * scale;
  canvas.height = innerHeight * scale;
  const paint = canvas.getContext("2d");
  paint.scale(scale, scale);
  const parts = Array.from({ length: pieces }, (_, n) => piece(n));
  const begun = performance.now();

  function frame(now) {
    const age = now - begun;
    paint.clearRect(0, 0, innerWidth, innerHeight);
    if (age > showerMs) {
      canvas.hidden = true;
      return;
    }
    paint.globalAlpha = Math.min(1, (showerMs - age) / 600);
    for (const part of parts) drawPiece(paint, part, age / 1_000);
    requestAnimationFrame(frame);
  }
  requestAnimationFrame(frame);
}

/** Thrown from both lower corners of the upper half towards the middle. */
function piece(n) {
  const left = n % 2 === 0;
  const angle = (left ? -1 : -2.14) + (Math.random() - 0.5) * 0.9;
  const speed = (0.45 + Math.random() * 0.55) * Math.min(900, innerHeight * 1.1);
  return {
    x: left ? -10 : innerWidth + 10,
    y: innerHeight * 0.55,
    vx: Math.cos(angle) * speed,
    vy: Math.sin(angle) * speed,
    size: 6 + Math.random() * 5,
    spin: (Math.random() - 0.5) * 12,
    color: colors[n % colors.length],
  };
}

function drawPiece(paint, part, seconds) {
  const drag = (1 - Math.exp(-1.1 * seconds)) / 1.1;
  paint.save();
  paint.translate(part.x + part.vx * drag, part.y + part.vy * drag + 260 * seconds * seconds);
  paint.rotate(part.spin * seconds);
  paint.scale(1, Math.cos(part.spin * seconds * 1.4));
  paint.fillStyle = part.color;
  paint.fillRect(-part.size / 2, -part.size / 3, part.size, part.size / 1.5);
  paint.restore();
}
