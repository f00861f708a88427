import { decimals, money, parseMoney, plainMoney } from "./format.js";

/* Development only: an order of this customer through the merchant API, so that a visitor sees a push at once. */

const countedWithinMs = 20_000;
const presetsMajor = [15, 60, 250];

const $ = (id) => document.getElementById(id);

/** Called once. `onCounted()` is called when both programs have counted an order or a cancellation. */
export function openOrderForm({ merchant, customerId, currency, onCounted }) {
  let last = null;

  const say = (text, isError = false) => {
    $("order-status").textContent = text;
    $("order-status").classList.toggle("error", isError);
  };

  async function send() {
    const minor = parseMoney($("order-amount").value, currency);
    if (minor === undefined) {
      $("order-amount").setAttribute("aria-invalid", "true");
      $("order-amount").focus();
      return say(`Enter an amount above zero${decimals(currency) === 0 ? "" : `, with up to ${decimals(currency)} decimals`}.`, true);
    }
    $("order-amount").removeAttribute("aria-invalid");
    const orderId = `demo-${crypto.randomUUID().slice(0, 13)}`;
    say("Sending…");
    const lines = [{ sku: "demo", category: "demo", quantity: 1, netMinor: minor }];
    await merchant.placeOrder({ orderId, customerId, currency, lines });
    last = orderId;
    $("order-cancel").hidden = false;
    say(`Order of ${money(minor, currency)} sent.`);
    if (await counted(orderId, () => true)) say(`Order of ${money(minor, currency)} counted.`);
    await onCounted();
  }

  async function cancel() {
    const orderId = last;
    say("Cancelling…");
    await merchant.cancelOrder(orderId, customerId);
    last = null;
    $("order-cancel").hidden = true;
    say("Cancellation sent.");
    if (await counted(orderId, (order) => order.cancelled)) say("Order cancelled.");
    await onCounted();
  }

  /** Whether the order shows what is expected before the time is up: an order without a push shall not look lost. */
  async function counted(orderId, expected) {
    for (const until = Date.now() + countedWithinMs; Date.now() < until;) {
      const order = await merchant.order(orderId).catch((error) => (error.status === 404 ? null : Promise.reject(error)));
      if (order !== null && expected(order)) return true;
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    return false;
  }

  async function guarded(event, action) {
    event.preventDefault();
    // Not `disabled`: that would take the focus away from whoever used the keyboard.
    if ($("order-form").ariaBusy === "true") return;
    $("order-form").ariaBusy = "true";
    try {
      await action();
    } catch (error) {
      say(error.message, true);
    }
    $("order-form").ariaBusy = null;
  }

  const symbol = new Intl.NumberFormat(undefined, { style: "currency", currency, currencyDisplay: "narrowSymbol" });
  $("order-currency").textContent = symbol.formatToParts(0).find((part) => part.type === "currency").value;
  $("order-currency-name").textContent = new Intl.DisplayNames("en", { type: "currency" }).of(currency);
  const unit = 10 ** decimals(currency) * (decimals(currency) === 0 ? 100 : 1);
  const presets = presetsMajor.map((major) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "chip";
    button.textContent = money(major * unit, currency).replace(/[.,]0+$/, "");
    button.addEventListener("click", () => {
      $("order-amount").value = plainMoney(major * unit, currency);
      $("order-amount").removeAttribute("aria-invalid");
    });
    return button;
  });
  $("order-presets").replaceChildren(...presets);
  $("order-amount").value = plainMoney(presetsMajor[1] * unit, currency);
  $("order-form").addEventListener("submit", (event) => void guarded(event, send));
  $("order-cancel").addEventListener("click", (event) => void guarded(event, cancel));
  $("order-cancel").hidden = true;
  say("");
}
