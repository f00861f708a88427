/** `npm run check`: format, types, lint, boundaries, unused code, contracts. Seconds, without a stack. */
import { runStaticSteps } from "./checks/steps.ts";

const { passed, failed } = await runStaticSteps();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
