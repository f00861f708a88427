import "vitest";

declare module "vitest" {
  /** What vitest.setup.ts provides; a test reads it by `inject("stack")`. */
  export interface ProvidedContext {
    stack: { postgresUrl: string; kafkaBrokers: string; registryUrl: string };
  }
}
