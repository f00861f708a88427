import { money, tone } from "./format.js";

/* Development only: choose a customer of the merchant. */

const listed = 24;

const $ = (id) => document.getElementById(id);

/** Called once. `load(merchantId, limit)` gives {customers, levels}; `onChosen({customer, merchantId})`. */
export function showSignIn({ merchantId, load, onChosen }) {
  $("sign-in").hidden = false;
  $("merchant").value = merchantId;
  const chosen = (customer) => onChosen({ customer, merchantId: $("merchant").value.trim() || merchantId });

  async function list() {
    $("customers-none").hidden = false;
    $("customers-none").textContent = "Loading…";
    const { customers, levels } = await load($("merchant").value.trim() || merchantId, listed);
    $("customers").replaceChildren(...customers.map((customer) => entry(customer, levels, chosen)));
    $("customers-none").hidden = customers.length > 0;
    $("customers-none").textContent = "No customers yet: the first order makes one.";
  }

  $("sign-in-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const customer = $("customer").value.trim();
    if (customer !== "") chosen(customer);
  });
  $("merchant-load").addEventListener("click", () => void list());
  $("newcomer").addEventListener("click", () => chosen(`visitor-${crypto.randomUUID().slice(0, 8)}`));
  return list();
}

function entry(customer, levels, chosen) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "customer";
  const name = document.createElement("b");
  name.textContent = customer.customerId;
  const badge = document.createElement("span");
  badge.className = "tier-tag";
  const rank = levels.findIndex((level) => level.id === customer.tier?.id);
  badge.dataset.tone = tone(customer.tier?.name ?? null, rank, levels.length);
  badge.textContent = customer.tier?.name ?? "No tier";
  const balance = document.createElement("span");
  balance.className = "muted";
  balance.textContent = money(customer.cashback.availableMinor, customer.cashback.currency);
  button.append(name, badge, balance);
  button.addEventListener("click", () => chosen(customer.customerId));
  const item = document.createElement("li");
  item.append(button);
  return item;
}
