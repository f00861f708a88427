export { commonEnvironment, EnvironmentError, parseEnvironment, port } from "./environment.ts";
export { serveHealth, type HealthServer, type Readiness } from "./health.ts";
export { runService, type ServiceContext, type ServiceDefinition } from "./service.ts";
export type { Logger } from "pino";
export { Counter, Gauge, Histogram, Registry } from "prom-client";
