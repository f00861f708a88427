import type { Merchant, Role } from "@perkstream/merchant";

export const roles = ["viewer", "operator", "owner"] as const satisfies readonly Role[];

export const isRole = (value: unknown): value is Role => roles.some((role) => role === value);

/** `viewer` reads, `operator` also sends orders, redeems and pins, `owner` everything. */
export const roleAllows = (has: Role, needed: Role): boolean => roles.indexOf(has) >= roles.indexOf(needed);

interface Credential {
  /** Names the credential without its secret: the scope of rate limits and idempotency keys. */
  readonly credential: string;
}

export interface MerchantPrincipal extends Credential {
  readonly kind: "merchant";
  readonly merchant: Merchant;
  readonly role: Role;
  /** Who did it, in history and audit: the token's `sub` or the key's name. */
  readonly actor: string;
}

export interface CustomerPrincipal extends Credential {
  readonly kind: "customer";
  readonly merchant: Merchant;
  readonly customerId: string;
}

/** PERKS_BOOTSTRAP_KEY: makes merchants and reads dead letters of no merchant, nothing else. */
export interface BootstrapPrincipal extends Credential {
  readonly kind: "bootstrap";
}

export type Principal = MerchantPrincipal | CustomerPrincipal | BootstrapPrincipal;
