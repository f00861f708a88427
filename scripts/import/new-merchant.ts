import { z } from "zod";

const timeoutMs = 30_000;
const answer = z.object({ merchantId: z.string(), apiKey: z.string() });

/** The merchant API did not answer, or refused. */
export class MerchantApiError extends Error {
  override readonly name = "MerchantApiError";
}

/** Makes the merchant that the data belongs to; a manual clock when its time is to stand still in the past. */
export async function createRetailMerchant(api: string, bootstrapKey: string, clock: "real" | "manual"): Promise<z.infer<typeof answer>> {
  const url = `${api.replace(/\/+$/, "")}/v1/merchants`;
  // Production knows no clocks: there the field would be refused.
  const body = { name: "Online Retail", currency: "GBP", timeZone: "Europe/London", ...(clock === "manual" && { clock }) };
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": bootstrapKey },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
    throw new MerchantApiError(
      `The merchant API at ${api} does not answer${cause}. Start the product with \`npm run up\`, set MERCHANT_API_URL, or give --merchant.`,
      {
        cause: error,
      },
    );
  }
  const text = await response.text();
  if (response.status !== 201) throw new MerchantApiError(`POST ${url}: ${response.status} ${text.slice(0, 500)}`);
  return answer.parse(JSON.parse(text));
}
