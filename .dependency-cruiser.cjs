/** Imports go down only; broken rules fail the checks. A minimum number of modules guards against a falsely green run. */
module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    {
      name: "domain-imports-nothing-outside-itself",
      comment: "The domain of a program is pure: no Kafka, no SQL, no clock, no other package.",
      severity: "error",
      from: { path: "^packages/([^/]+)/src/domain/", pathNot: "\\.test\\.ts$|^packages/orders/" },
      to: { pathNot: "^packages/$1/src/domain/" },
    },
    {
      name: "domain-of-orders-imports-only-types",
      comment: "What an order event means is said in the event's own types, which are generated from the schemas.",
      severity: "error",
      from: { path: "^packages/orders/src/domain/", pathNot: "\\.test\\.ts$" },
      to: { pathNot: "^packages/orders/src/domain/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "packages-do-not-import-services",
      severity: "error",
      from: { path: "^packages/" },
      to: { path: "^(services|scripts)/" },
    },
    {
      name: "programs-do-not-import-each-other",
      comment:
        "A package imports itself and what all programs share; so does a program that is added later. The tier as of an offset comes to cashback through a port that services/cashback-processor wires.",
      severity: "error",
      from: { path: "^packages/([^/]+)/", pathNot: "/testing/|\\.test\\.ts$" },
      to: { path: "^packages/", pathNot: "^packages/($1|calendar|contracts|merchant|orders|postgres|program|service|stack|verify)/" },
    },
    {
      name: "host-knows-no-program",
      severity: "error",
      from: { path: "^packages/(program|postgres|service|calendar|contracts)/", pathNot: "/testing/|\\.test\\.ts$" },
      to: { path: "^packages/", pathNot: "^packages/(program|postgres|service|calendar|contracts|stack)/" },
    },
    {
      name: "no-test-code-in-production",
      severity: "error",
      from: { pathNot: "/testing/|\\.test\\.ts$|^vitest|^scripts/" },
      to: { path: "/testing/|\\.test\\.ts$" },
    },
    {
      name: "reference-and-fuzz-are-for-tests",
      comment: "A second model that the programs are compared with, and how fuzz tests run: production does not know them.",
      severity: "error",
      from: { path: "^(packages|services)/", pathNot: "/testing/|\\.test\\.ts$|^packages/(reference|fuzz)/" },
      to: { path: "^packages/(reference|fuzz)/" },
    },
    {
      name: "reference-knows-nobody",
      comment: "It is independent of what it is compared with.",
      severity: "error",
      from: { path: "^packages/reference/", pathNot: "\\.test\\.ts$" },
      to: { path: "^(packages|services|scripts)/", pathNot: "^packages/reference/" },
    },
    {
      name: "drizzle-describes-tables",
      comment: "Schemas are for the tool that writes migrations. A service that loaded drizzle would start a third slower.",
      severity: "error",
      from: { pathNot: "/schema\\.ts$|/tables\\.ts$|/columns\\.ts$|/testing/|\\.test\\.ts$|drizzle\\.config\\.ts$" },
      to: {
        path: "^(packages|services)/.*/(schema|tables|columns)\\.ts$|drizzle-orm",
        dependencyTypesNot: ["dynamic-import", "type-only"],
      },
    },
    {
      name: "services-do-not-import-each-other",
      severity: "error",
      from: { path: "^services/([^/]+)/" },
      to: { path: "^services/", pathNot: "^services/$1/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "/dist/" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["source", "import", "node", "default"],
      mainFields: ["main"],
      extensions: [".ts", ".js", ".mjs", ".cjs"],
    },
  },
};
