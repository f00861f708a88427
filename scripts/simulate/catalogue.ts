import type { OrderLine } from "@perkstream/contracts";
import type { Random } from "./random.ts";

interface Product {
  readonly sku: string;
  readonly category: string | null;
  readonly priceMinor: number;
}

const categories = ["coffee", "books", "toys", "garden", "kitchen", "music", null] as const;
const productsPerCategory = 30;
const maxLines = 5;
const maxQuantity = 3;

/** What the simulated shop sells: prices from 1.49 to 150 in steps that look like prices. */
const products: readonly Product[] = categories.flatMap((category) =>
  Array.from({ length: productsPerCategory }, (_, i) => ({
    sku: `${category ?? "misc"}-${i + 1}`,
    category,
    priceMinor: Math.round(149 * 1.17 ** i) - (Math.round(149 * 1.17 ** i) % 10) + 9,
  })),
);

/** One to five lines; cheap things are bought more often. */
export function basket(random: Random): OrderLine[] {
  return Array.from({ length: 1 + random.below(maxLines) }, () => {
    const ofCategory = random.below(categories.length) * productsPerCategory;
    const { sku, category, priceMinor } = products[
      ofCategory + Math.min(random.below(productsPerCategory), random.below(productsPerCategory))
    ] ?? {
      sku: "misc-1",
      category: null,
      priceMinor: 149,
    };
    const quantity = 1 + random.below(maxQuantity);
    return { sku, category, quantity, netMinor: BigInt(quantity * priceMinor) };
  });
}
