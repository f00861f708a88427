/* The state of the connection, in words. */

const $ = (id) => document.getElementById(id);

const ended = {
  closed: "Signed out",
  disconnected: "Disconnected by the shop",
  token: "Sign-in refused",
  origin: "This page may not connect",
  bad_frame: "Connection ended",
  other_customer: "Signed in as somebody else",
};

export function openLive({ onRetry }) {
  $("live-retry").addEventListener("click", onRetry);
  return (state) => {
    $("live").dataset.status = state.status;
    $("live-retry").hidden = state.status === "connecting" || state.status === "online";
    $("live-text").textContent = words(state);
  };
}

function words(state) {
  if (state.status === "online") return "Live";
  if (state.status === "connecting") return "Connecting…";
  if (state.status === "waiting") return "Reconnecting…";
  return ended[state.reason] ?? "Connection ended";
}
