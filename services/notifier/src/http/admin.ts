import { isCustomerId, type Customer } from "@perkstream/inbox";
import type { ConnectionInfo } from "../hub.ts";
import type { Role, Tokens } from "../tokens.ts";
import { type Answer, json, problem, type Request } from "./answer.ts";

/** Who is connected, over all instances. */
export interface Presence {
  connectionsOf(customer: Customer): Promise<readonly ConnectionInfo[]>;
  /** Closes all connections of the customer with 4002. @returns how many were closed */
  disconnect(customer: Customer): Promise<number>;
}

const needs: Readonly<Record<Role, readonly Role[]>> = {
  viewer: ["viewer", "operator", "owner"],
  operator: ["operator", "owner"],
  owner: ["owner"],
};
const paths = /^\/v1\/(presence|disconnect)\/([^/]+)$/;

/**
 * `GET /v1/presence/{customerId}` (viewer) and `POST /v1/disconnect/{customerId}` (operator), of the token's merchant.
 * Null when the request is for neither.
 */
export async function admin(request: Request, tokens: Tokens, presence: Presence): Promise<Answer | null> {
  const found = paths.exec(request.path);
  if (found === null) return null;
  const { requestId } = request;
  const wantsPresence = found[1] === "presence";
  if (request.method !== (wantsPresence ? "get" : "post")) return null;
  const customerId = decode(found[2]!);
  if (customerId === null) return problem(400, "invalid_request", "customerId must be 1 to 64 characters, percent-encoded", requestId);
  const bearer = /^Bearer +(\S+)$/i.exec(request.authorization)?.[1];
  const claims = bearer === undefined ? null : await tokens.merchant(bearer);
  if (claims === null) {
    return problem(401, "unauthenticated", "send Authorization: Bearer with a merchant token that holds", requestId, {
      "www-authenticate": "Bearer",
    });
  }
  const role: Role = wantsPresence ? "viewer" : "operator";
  if (!needs[role].includes(claims.role)) return problem(403, "forbidden", `this needs the role ${role}`, requestId);
  const customer = { merchant: claims.merchant, customerId };
  if (!wantsPresence) return json({ closed: await presence.disconnect(customer) });
  const connections = await presence.connectionsOf(customer);
  return json({
    customerId,
    online: connections.length > 0,
    connections: connections.map(({ session, device, since }) => ({ session, device, since: new Date(since).toISOString() })),
  });
}

function decode(segment: string): string | null {
  try {
    const customerId = decodeURIComponent(segment);
    return isCustomerId(customerId) ? customerId : null;
  } catch {
    return null;
  }
}
