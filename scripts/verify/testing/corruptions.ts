// SQL that plants what is wrong into the tables of the rich merchant (rich-merchant.ts).

const acct = (program: string, customer: string) => `(SELECT acct FROM ${program}.account WHERE customer_id = '${customer}')`;
const transferOf = (customer: string, n: number) =>
  `(SELECT id FROM cashback.transfer WHERE acct = ${acct("cashback", customer)} ORDER BY id OFFSET ${n} LIMIT 1)`;
const lotOf = (order: string, campaign: string) =>
  `order_id = '${order}' AND campaign = (SELECT campaign FROM cashback.campaign WHERE campaign_id = '${campaign}')`;

/** What is planted, as the owner of the database, and every kind of difference that must be named. */
export interface Corruption {
  readonly name: string;
  readonly plant: string;
  /** Kinds, each with what its place must name. */
  readonly named: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What it led to is wrong too: differences of other kinds follow. */
  readonly leadsOn?: true;
}

export const corruptions: readonly Corruption[] = [
  {
    name: "a changed transfer",
    plant: `UPDATE cashback.transfer SET amount = amount + 1 WHERE id = ${transferOf("anna", 0)}`,
    named: { "cashback transfer changed": { customer: "anna", order: "a1" }, "cashback seal changed": {} },
  },
  {
    name: "a deleted transfer",
    plant: `DELETE FROM cashback.transfer WHERE id = ${transferOf("ben", 0)}`,
    named: { "cashback transfer missing": { customer: "ben", order: "b1" }, "cashback number missing": {}, "cashback seal changed": {} },
  },
  {
    name: "a transfer that nobody posted",
    plant: `INSERT INTO cashback.transfer SELECT acct, id + 1000, lot, debit, credit, kind, amount, off, request_id, as_of
      FROM cashback.transfer WHERE id = (SELECT max(id) FROM cashback.transfer WHERE acct = ${acct("cashback", "cleo")})`,
    named: { "cashback transfer unexpected": { customer: "cleo" }, "cashback seal unexpected": {}, "cashback number missing": {} },
  },
  {
    name: "two transfers whose places were swapped",
    plant: `UPDATE cashback.transfer t SET lot = o.lot, debit = o.debit, credit = o.credit, kind = o.kind, amount = o.amount, off = o.off, request_id = o.request_id, as_of = o.as_of
      FROM cashback.transfer o WHERE (t.id, o.id) IN ((${transferOf("anna", 0)}, ${transferOf("anna", 1)}), (${transferOf("anna", 1)}, ${transferOf("anna", 0)}))`,
    named: {
      "cashback transfer missing": { customer: "anna" },
      "cashback transfer unexpected": { customer: "anna" },
      "cashback seal changed": {},
    },
  },
  {
    name: "a changed cause of a transfer",
    plant: `UPDATE cashback.transfer SET off = off + 7 WHERE id = ${transferOf("ben", 0)}`,
    named: { "cashback transfer changed": { customer: "ben", order: "b1" }, "cashback seal changed": {} },
  },
  {
    name: "a changed seal",
    plant: `UPDATE cashback.seal SET hash = sha256(hash) WHERE (part, n) = (SELECT part, min(n) FROM cashback.seal GROUP BY part HAVING count(*) > 1 LIMIT 1)`,
    named: { "cashback seal changed": { seal: "1" } },
  },
  {
    name: "a missing lot",
    plant: `DELETE FROM cashback.lot WHERE ${lotOf("c1", "base")}`,
    named: { "cashback lot missing": { customer: "cleo", order: "c1", campaign: "base" } },
  },
  {
    name: "a moved expiry",
    plant: `UPDATE cashback.lot SET expires_at = expires_at + interval '1 day' WHERE ${lotOf("c1", "base")}`,
    named: { "cashback lot changed": { customer: "cleo", order: "c1", campaign: "base" } },
  },
  {
    name: "a balance off by one",
    plant: `UPDATE cashback.account SET available = available + 1 WHERE customer_id = 'anna'`,
    named: { "cashback balance changed": { customer: "anna" } },
  },
  {
    name: "an award that the pinned formula does not give",
    plant: `UPDATE cashback."order" SET awards = jsonb_set(jsonb_set(awards::jsonb, '{a,0,12}', to_jsonb((awards::jsonb #>> '{a,0,12}')::int + 1)), '{a,0,13}', to_jsonb((awards::jsonb #>> '{a,0,13}')::int + 1))::text WHERE order_id = 'd2'`,
    named: { "cashback award changed": { customer: "dora", order: "d2" } },
  },
  {
    name: "an award above what the customer's cap leaves",
    plant: `UPDATE cashback."order" SET awards = (SELECT jsonb_set(awards::jsonb, ARRAY['a', (i - 1)::text, '12'], '9000')::text
        FROM jsonb_array_elements(awards::jsonb->'a') WITH ORDINALITY AS e(award, i) WHERE award->>10 IS NOT NULL LIMIT 1) WHERE order_id = 'd1'`,
    named: { "cashback cap exceeded": { customer: "dora", order: "d1", campaign: "base" } },
  },
  {
    name: "an exceeded cap",
    plant: `UPDATE cashback.cap_usage SET used = 9000 WHERE acct = ${acct("cashback", "dora")}`,
    named: { "cashback cap exceeded": { customer: "dora", campaign: "base", period: "2025-01" } },
  },
  {
    name: "a wrong usage of a cap",
    plant: `UPDATE cashback.cap_usage SET used = used + 1 WHERE acct = ${acct("cashback", "dora")}`,
    named: { "cashback cap changed": { customer: "dora", campaign: "base", period: "2025-01" } },
  },
  {
    name: "a usage of a cap that is gone",
    plant: `DELETE FROM cashback.cap_usage WHERE acct = ${acct("cashback", "dora")}`,
    named: { "cashback cap missing": { customer: "dora", campaign: "base", period: "2025-01" } },
  },
  {
    name: "a budget that paid more than it had",
    plant: `UPDATE cashback.campaign_version SET definition = jsonb_set(definition, '{budgetMinor}', '300') WHERE definition->>'id' = 'small';
      UPDATE cashback.campaign_budget SET budget = 300 WHERE budget = 400`,
    named: { "cashback budget exceeded": { campaign: "small" } },
  },
  {
    name: "a budget whose use is wrong",
    plant: `UPDATE cashback.campaign_budget SET used = used - 1 WHERE budget = 400`,
    named: { "cashback budget changed": { campaign: "small" } },
  },
  {
    name: "an allowance that is used above what it was handed",
    plant: `UPDATE cashback.budget_allowance SET allowance = 0 WHERE used > 0`,
    named: { "cashback allowance exceeded": { campaign: "shoes" }, "cashback budget changed": { campaign: "shoes" } },
  },
  {
    name: "a wrong sum of a campaign",
    plant: `UPDATE cashback.campaign_stat SET customers = customers + 1 WHERE (campaign, part) IN (SELECT campaign, part FROM cashback.campaign_stat LIMIT 1)`,
    named: { "cashback campaign sum changed": {} },
  },
  {
    name: "a wrong balance of the merchant",
    plant: `UPDATE cashback.merchant_balance SET cost = cost + 1 WHERE part = (SELECT min(part) FROM cashback.merchant_balance)`,
    named: { "cashback merchant balance changed": {} },
  },
  {
    name: "a skipped notification",
    plant: `DELETE FROM inbox.notification WHERE ctid = (SELECT n.ctid FROM inbox.notification n JOIN inbox.account a USING (acct) WHERE a.customer_id = 'ben' ORDER BY off LIMIT 1)`,
    named: { " notification missing": { customer: "ben" } },
  },
  {
    name: "a notification that is stored twice",
    plant: `INSERT INTO inbox.notification SELECT acct, part, off + 1000, gen_random_uuid(), stored_at, record FROM inbox.notification WHERE acct = ${acct("inbox", "cleo")} LIMIT 1`,
    named: { " notification unexpected": { customer: "cleo" } },
  },
  {
    name: "a notification that says something else",
    plant: `UPDATE inbox.notification n SET record = o.record FROM inbox.notification o WHERE n.acct = ${acct("inbox", "anna")} AND o.acct = n.acct
      AND n.off = (SELECT min(off) FROM inbox.notification WHERE acct = n.acct) AND o.off = (SELECT max(off) FROM inbox.notification WHERE acct = n.acct)`,
    named: { " notification changed": { customer: "anna" } },
  },
  {
    name: "a wrong tier",
    plant: `UPDATE tier.account SET level = 'T2' WHERE customer_id = 'anna'`,
    named: { "tier tier changed": { customer: "anna" } },
  },
  {
    name: "a pin that is gone",
    plant: `UPDATE tier.account SET pin_level = NULL, pin_until = NULL, pin_actor = NULL, pin_note = NULL WHERE customer_id = 'cleo'`,
    named: { "tier tier changed": { customer: "cleo" } },
  },
  {
    name: "a changed row of the history",
    plant: `UPDATE tier.history SET to_level = 'T2' WHERE acct = ${acct("tier", "anna")} AND seq = 2`,
    named: { "tier history changed": { customer: "anna", change: "2" } },
  },
  {
    name: "a deleted row of the history",
    plant: `DELETE FROM tier.history WHERE acct = ${acct("tier", "ben")} AND seq = 1`,
    named: { "tier history missing": { customer: "ben", change: "1" } },
  },
  {
    name: "a wrong sum of a date",
    plant: `UPDATE tier.day SET net = net + 1 WHERE acct = ${acct("tier", "ben")} AND day = 20091`,
    named: { "tier day changed": { customer: "ben", date: "2025-01-03" } },
  },
  {
    name: "a total that is wrong",
    plant: `UPDATE tier.account SET net = net + 1, orders = orders - 1 WHERE customer_id = 'dora'`,
    named: { "tier account changed": { customer: "dora" } },
  },
  {
    name: "the end of a pin that no sweep sees",
    plant: `UPDATE tier.account SET due_at = NULL WHERE customer_id = 'cleo'`,
    named: { "tier due moment hidden": { customer: "cleo" } },
  },
  {
    name: "an expiry that no sweep sees",
    plant: `UPDATE cashback.account SET due_at = due_at + interval '1 year' WHERE customer_id = 'anna'`,
    named: { "cashback due moment hidden": { customer: "anna" } },
  },
  {
    name: "a notice before an expiry that no sweep sees",
    plant: `UPDATE cashback.account SET unannounced_at = NULL WHERE customer_id = 'anna'`,
    named: { "cashback due moment hidden": { customer: "anna" } },
  },
  {
    name: "a customer whom an edit of the ladder left out",
    plant: `UPDATE tier.account SET ladder_version = 1 WHERE customer_id = 'dora'`,
    named: { "tier account changed": { customer: "dora" }, "tier edit hidden": { customer: "dora" } },
  },
  {
    name: "an order that one program lacks",
    plant: `DELETE FROM cashback."order" WHERE order_id = 'd2'`,
    named: {
      "cashback order missing": { order: "d2" },
      "cashback lot unexpected": { customer: "dora", order: "d2" },
      "cashback transfer unexpected": { customer: "dora" },
      "cashback balance changed": { customer: "dora" },
      "cashback notification unexpected": { customer: "dora" },
      "cashback account changed": { customer: "dora" },
      "cashback cap changed": { customer: "dora" },
      "cashback campaign sum changed": {},
      "cashback merchant balance changed": {},
      "cashback tally changed": {},
    },
  },
  {
    name: "an order whose event was changed",
    plant: `UPDATE tier."order" SET payload = (SELECT payload FROM tier."order" WHERE order_id = 'c2') WHERE order_id = 'c1'`,
    named: {
      "tier order changed": { customer: "cleo", order: "c1" },
      "tier order unexpected": { customer: "cleo", order: "c1" },
      "cashback order changed": { order: "c1" },
    },
    leadsOn: true,
  },
  {
    name: "an order whose remaining amounts are wrong",
    plant: `UPDATE tier."order" SET remaining = '{19999,30000}' WHERE order_id = 'b1'`,
    named: { "tier order changed": { customer: "ben", order: "b1" } },
  },
  {
    name: "an order that is on another date",
    plant: `UPDATE cashback."order" SET local_date = local_date + 1 WHERE order_id = 'c1'`,
    named: { "cashback order changed": { customer: "cleo", order: "c1" } },
  },
  {
    name: "a level before an order that was changed",
    plant: `UPDATE tier."order" SET level_before = 'T2' WHERE order_id = 'a2'`,
    named: { "tier order changed": { customer: "anna", order: "a2" } },
  },
  {
    name: "a changed clawback",
    plant: `UPDATE cashback.refund SET clawbacks = jsonb_set(clawbacks, '{0,1}', '1') WHERE refund_id = 'r1'`,
    named: { "cashback refund changed": { customer: "ben", order: "b1", refund: "r1" } },
  },
  {
    name: "a refund that one program lacks",
    plant: `DELETE FROM tier.refund WHERE refund_id = 'r2'`,
    named: {
      "tier refund missing": { order: "a3", refund: "r2" },
      "tier order changed": { customer: "anna", order: "a3" },
      "tier day changed": { customer: "anna" },
      "tier account changed": { customer: "anna" },
      "tier tally changed": {},
    },
  },
  {
    name: "a redemption that got back too much",
    plant: `UPDATE cashback.redemption_part SET restored = restored + 1 WHERE restored > 0`,
    named: { "cashback redemption changed": { customer: "anna" } },
  },
  {
    name: "a reservation that was let go without a word",
    plant: `UPDATE cashback.redemption SET status = 3 WHERE status = 1`,
    named: { "cashback redemption changed": { customer: "anna" } },
  },
  {
    name: "a missing redemption",
    plant: `DELETE FROM cashback.redemption WHERE status = 1`,
    named: { "cashback redemption missing": { customer: "anna" } },
  },
  {
    name: "a refund that waits in one program only",
    plant: `DELETE FROM cashback.parked`,
    named: { "cashback parked missing": { order: "b9" }, "cashback tally changed": {} },
  },
  {
    name: "a refund that waits for an order that is there",
    plant: `UPDATE tier.parked SET order_id = 'b1'`,
    named: { "tier parked unexpected": { order: "b1" }, "tier parked missing": { order: "b9" } },
  },
  {
    name: "a command that was not stored",
    plant: `DELETE FROM tier.applied WHERE kind = 'pin' AND detail->>'refused' IS NULL`,
    named: {
      "tier applied missing": {},
      "tier tier changed": { customer: "cleo" },
      "tier account changed": { customer: "cleo" },
      "tier history unexpected": { customer: "cleo" },
      "tier order changed": { customer: "cleo", order: "c2" },
      "tier notification unexpected": { customer: "cleo" },
      "cashback award changed": { customer: "cleo", order: "c2" },
    },
    leadsOn: true,
  },
  {
    name: "a refusal that was none",
    plant: `UPDATE cashback.applied SET detail = detail - 'refused' WHERE kind = 'commit'`,
    named: { "cashback applied changed": { customer: "anna", kind: "commit" } },
  },
  {
    name: "a notification that was numbered and never published",
    plant: `UPDATE tier.progress SET published = out_seq - 1 WHERE topic = 'orders.v1' AND out_seq > 0`,
    named: { "tier outbox missing": {} },
  },
  {
    name: "a dead letter that is gone",
    plant: `DELETE FROM cashback.dead_letter`,
    named: { "cashback tally changed": {} },
  },
  {
    name: "an account that is gone",
    plant: `DELETE FROM tier.account WHERE customer_id = 'dora'`,
    named: { "tier order unexpected": {}, "tier history unexpected": {}, "tier day unexpected": {} },
    leadsOn: true,
  },
];
