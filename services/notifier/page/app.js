import { openCustomer, openMerchant } from "./api.js";
import { celebrate, prepareCelebration } from "./celebrate.js";
import { tone, upTo } from "./format.js";
import { openInbox } from "./inbox.js";
import { openLive } from "./live.js";
import { openOrderForm } from "./order.js";
import { connect } from "./perkstream-client.js";
import { showSignIn } from "./sign-in.js";
import { showSummary } from "./summary.js";
import { openToasts } from "./toasts.js";
import { toNext } from "./words.js";

/*
 * The customer's page. `?customer=<id>&merchant=<uuid>` signs in directly; the address always says who is shown,
 * so that a reload stays and a link can be passed on.
 */

const tickMs = 30_000;
/** After the last push: the other program may still have been at work, with a result that tells nobody. */
const secondLookMs = 2_000;

const $ = (id) => document.getElementById(id);

function problem(error) {
  $("problem").hidden = error === null;
  $("problem").textContent = error === null ? "" : error.message;
}

async function main() {
  prepareCelebration();
  const config = await fetch("./config.json").then((response) => response.json());
  const query = new URLSearchParams(location.search);
  const merchantId = query.get("merchant") ?? config.merchantId;
  const customerId = query.get("customer");
  if (customerId === null || customerId === "") return choose(config, merchantId);
  await openWallet(config, merchantId, customerId).catch(async (error) => {
    $("wallet").hidden = true;
    await choose(config, config.merchantId);
    problem(error);
  });
}

async function choose(config, merchantId) {
  await showSignIn({
    merchantId,
    async load(id, limit) {
      try {
        const merchant = openMerchant(config.merchantApi, id);
        const [customers, ladder] = await Promise.all([merchant.customers(limit), merchant.ladder()]);
        problem(null);
        return { customers, levels: ladder.levels };
      } catch (error) {
        problem(error);
        return { customers: [], levels: [] };
      }
    },
    // A page load for every customer: it is the simplest way to be rid of everything of the last one.
    onChosen({ customer, merchantId: id }) {
      location.assign(`?${new URLSearchParams({ customer, ...(id === config.merchantId ? {} : { merchant: id }) })}`);
    },
  });
}

async function openWallet(config, merchantId, customerId) {
  const merchant = openMerchant(config.merchantApi, merchantId);
  const [settings, ladder, first] = await Promise.all([merchant.merchant(), merchant.ladder(), merchant.customerToken(customerId)]);
  const shop = { currency: settings.currency, metric: ladder.settings.metric, levels: ladder.levels };
  const context = () => ({ now: Date.now(), metric: shop.metric, currency: shop.currency });
  const freshToken = () => merchant.customerToken(customerId).then((answer) => answer.token);
  const customer = openCustomer(config.merchantApi, tokenOnce(first.token, freshToken));
  const refresh = oneAtATime(async () => {
    try {
      const me = await customer.me();
      showSummary(me, shop, Date.now());
      problem(null);
    } catch (error) {
      problem(error);
    }
  });

  showWho(settings.name, customerId);
  const inbox = openInbox({
    context,
    onReadAll: (cursor) => connection.ack(cursor),
    onOlder: (cursor) => customer.notifications(cursor).then((page) => inbox.addPage(page), problem),
  });
  const toasts = openToasts(context);
  const [page] = await Promise.all([customer.notifications(null), refresh()]);
  inbox.addPage(page);
  const newest = page.data[0]?.cursor;

  let connection;
  let connections = 0;
  let secondLook;
  const showLive = openLive({
    onRetry: () => (connection.state.status === "closed" ? start() : connection.retryNow()),
  });
  function start() {
    connection = connect({
      url: first.url,
      token: tokenOnce(connections++ === 0 ? first.token : undefined, freshToken),
      device: "customer page",
      onState: showLive,
      onRead: (cursor) => inbox.readUpTo(cursor),
      onNote(note) {
        // Unread ones of earlier visits come too; what is older than the list's newest is no news.
        const isNews = newest === undefined || !upTo(note.cursor, newest);
        if (!inbox.addLive(note) || !isNews) return;
        toasts.push(note);
        if (note.type === "TierChanged" && note.data.direction === "PROMOTED") cheer(note.data, shop, context());
        void refresh();
        clearTimeout(secondLook);
        secondLook = setTimeout(refresh, secondLookMs);
      },
    });
  }
  start();
  openOrderForm({ merchant, customerId, currency: shop.currency, onCounted: refresh });
  setInterval(() => {
    inbox.tick();
    void refresh();
  }, tickMs);
}

function showWho(shopName, customerId) {
  $("shop").textContent = shopName;
  $("who").textContent = customerId;
  $("wallet-who").textContent = customerId;
  $("session").hidden = false;
  $("wallet").hidden = false;
  $("leave").addEventListener("click", () => location.assign(location.pathname));
}

function cheer(data, shop, context) {
  const rank = shop.levels.findIndex((level) => level.name === data.toTier);
  const next = toNext(data, context);
  celebrate({
    title: `Welcome to ${data.toTier}`,
    text: next === "" ? "That is as high as it goes. Enjoy it." : `Only ${next}.`,
    tone: tone(data.toTier, rank, shop.levels.length),
  });
}

/** The token that is there already, then fresh ones. */
function tokenOnce(token, fresh) {
  let first = token;
  return () => {
    const now = first;
    first = undefined;
    return now === undefined ? fresh() : Promise.resolve(now);
  };
}

/** Runs at most one at a time; calls in between are answered by one more run after it. */
function oneAtATime(action) {
  let running = null;
  let next = null;
  const run = () => {
    running = action().finally(() => {
      running = null;
    });
    return running;
  };
  return () => {
    if (running === null) return run();
    next ??= running.then(() => {
      next = null;
      return run();
    });
    return next;
  };
}

main().catch(problem);
