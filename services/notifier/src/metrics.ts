import { Counter, Gauge, Histogram, type Registry } from "@perkstream/service";

export type NotifierMetrics = ReturnType<typeof notifierMetrics>;

export function notifierMetrics(registry: Registry) {
  const registers = [registry];
  return {
    connections: new Gauge({ registers, name: "perkstream_connections", help: "Open sockets" }),
    upgrades: new Counter({ registers, name: "perkstream_upgrades_total", help: "Upgrades by result", labelNames: ["result"] }),
    closes: new Counter({
      registers,
      name: "perkstream_closes_total",
      help: "Sockets closed by the server, by reason",
      labelNames: ["reason"],
    }),
    framesIn: new Counter({ registers, name: "perkstream_frames_in_total", help: "Frames of clients" }),
    notes: new Counter({ registers, name: "perkstream_notes_live_total", help: "Live notes given to connections" }),
    fetchAge: new Gauge({ registers, name: "perkstream_live_fetch_age_seconds", help: "Since the live reader's last fetch came back" }),
    handOver: new Histogram({
      registers,
      name: "perkstream_hand_over_seconds",
      help: "From hello to live",
      buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5],
    }),
  };
}
