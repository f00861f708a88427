import { expect, test } from "vitest";
import { isLoopbackHost, originRule } from "./origins.ts";

test("production lets in what is listed, and what is no page", () => {
  const allowed = originRule(["https://shop.example", "https://App.example:8443"], false);
  for (const origin of ["", "https://shop.example", "https://app.example:8443"]) expect(allowed(origin)).toBe(true);
  for (const origin of ["null", "http://shop.example", "https://shop.example.evil", "https://evil.example", "http://localhost:8081"]) {
    expect(allowed(origin)).toBe(false);
  }
});

test("development lets in any loopback origin too", () => {
  const allowed = originRule([], true);
  for (const origin of ["http://localhost:8081", "http://127.0.0.1", "https://[::1]:3"]) expect(allowed(origin)).toBe(true);
  for (const origin of ["null", "file://localhost", "http://localhost.evil.example", "http://127.0.0.1.evil.example"])
    expect(allowed(origin)).toBe(false);
});

test("development answers this machine's names only", () => {
  for (const host of ["localhost:8081", "127.0.0.1:8081", "[::1]:8081", "localhost"]) expect(isLoopbackHost(host)).toBe(true);
  for (const host of ["", "evil.example", "localhost.evil.example", "10.0.0.1:8081", "a b"]) expect(isLoopbackHost(host)).toBe(false);
});
