export { migrations } from "./cluster/migrations.ts";
export { startNotifier, type Notifier, type NotifierOptions } from "./notifier.ts";
