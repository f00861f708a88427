import type { Logger } from "@perkstream/service";
import type { Principal } from "../auth/principal.ts";

/** What the middleware puts beside a request. */
export interface AppEnv {
  Variables: {
    requestId: string;
    log: Logger;
    principal?: Principal;
  };
}
