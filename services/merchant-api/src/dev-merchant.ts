/** The merchant that a development stack always has: USD, UTC. */
export const devMerchantId = "4f981b0b-accf-4eb7-8018-7cd651c7e907";
