import {
  connectRegistry,
  type JsonRecord,
  type NotificationEncoder,
  openJsonDecoder,
  openNotificationEncoder,
  openOrderDecoder,
  openOrderEncoder,
  type OrderEncoder,
  type OrderEvent,
  type RecordDecoder,
  type Registry,
} from "@perkstream/contracts";

/** Writes and reads the records of both topics. */
export interface Records {
  readonly orders: OrderEncoder;
  /** What commands of the API tell customers. */
  readonly notifications: NotificationEncoder;
  /** Stored orders are the events' bytes. */
  readonly storedOrders: RecordDecoder<OrderEvent>;
  /** Records of any type, for showing them. */
  readonly json: RecordDecoder<JsonRecord>;
}

export const openRecords = (registryUrl: string): Promise<Records> => recordsOf(connectRegistry(registryUrl));

/** Asks the registry for the ids of the schemas; rejects with RegistryError when it is away or they are not registered. */
export async function recordsOf(registry: Registry): Promise<Records> {
  const [orders, notifications] = await Promise.all([openOrderEncoder(registry), openNotificationEncoder(registry)]);
  return { orders, notifications, storedOrders: openOrderDecoder(registry), json: openJsonDecoder(registry) };
}
