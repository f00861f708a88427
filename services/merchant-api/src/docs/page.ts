import { createHash } from "node:crypto";
import type { Document } from "./document.ts";
import { isObject, notation, type JsonObject } from "./notation.ts";
import { styles } from "./styles.ts";

export interface ReferencePage {
  readonly html: string;
  readonly contentSecurityPolicy: string;
}

const methods = ["get", "post", "put", "patch", "delete"] as const;

interface Listed {
  readonly method: string;
  readonly path: string;
  readonly operation: JsonObject;
}

/** The reference page, one HTML file from the OpenAPI document: no script and nothing loaded from anywhere. */
export function referencePage(document: Document): ReferencePage {
  const root: unknown = JSON.parse(JSON.stringify(document));
  const listed = isObject(root) ? listOperations(root) : [];
  const schemas =
    isObject(root) && isObject(root["components"]) && isObject(root["components"]["schemas"]) ? root["components"]["schemas"] : {};
  const tags = [...new Set(listed.map(({ operation }) => tagOf(operation)))];
  const sections = tags.map((tag) =>
    section(
      tag,
      listed.filter(({ operation }) => tagOf(operation) === tag),
    ),
  );
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(document.info.title)}</title><style>${styles}</style></head>
<body><nav aria-label="Operations"><a class="home" href="#top">Perkstream</a>${tags.map((tag) => navigation(tag, listed)).join("")}<b>Schemas</b>${Object.keys(
    schemas,
  )
    .map((name) => `<a href="#schema-${escape(name)}">${escape(name)}</a>`)
    .join("")}</nav>
<main id="top"><h1>${escape(document.info.title)}</h1>${paragraphs(document.info.description ?? "")}<p><a href="/openapi.json">openapi.json</a></p>
${sections.join("\n")}
<h2>Schemas</h2>${Object.entries(schemas).map(schemaBlock).join("\n")}</main></body></html>`;
  const styleHash = createHash("sha256").update(styles).digest("base64");
  return {
    html,
    contentSecurityPolicy: `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  };
}

function listOperations(root: JsonObject): Listed[] {
  const paths = isObject(root["paths"]) ? root["paths"] : {};
  return Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = isObject(item) ? item[method] : undefined;
      return isObject(operation) ? [{ method, path, operation }] : [];
    }),
  );
}

const tagOf = (operation: JsonObject): string => (Array.isArray(operation["tags"]) ? String(operation["tags"][0]) : "Other");
const anchor = ({ method, path }: Listed): string => `${method}${path}`.replaceAll(/[^a-z0-9]+/gi, "-");

function navigation(tag: string, listed: readonly Listed[]): string {
  const links = listed
    .filter(({ operation }) => tagOf(operation) === tag)
    .map((one) => `<a href="#${anchor(one)}"><i class="${one.method}">${one.method}</i> ${escape(one.path.replace("/v1", ""))}</a>`);
  return `<b>${escape(tag)}</b>${links.join("")}`;
}

function section(tag: string, listed: readonly Listed[]): string {
  return `<h2>${escape(tag)}</h2>${listed.map(operationBlock).join("\n")}`;
}

function operationBlock(one: Listed): string {
  const { operation } = one;
  return `<article id="${anchor(one)}"><h3><i class="${one.method}">${one.method}</i> <code>${escape(one.path)}</code></h3>
<p>${inline(String(operation["summary"] ?? ""))}</p>${paragraphs(String(operation["description"] ?? ""))}
<p class="access">${escape(accessOf(operation))}</p>${parameterTable(operation)}${body(operation)}${replies(operation)}</article>`;
}

function accessOf(operation: JsonObject): string {
  const names = (Array.isArray(operation["security"]) ? operation["security"] : []).flatMap((one) =>
    isObject(one) ? Object.keys(one) : [],
  );
  return names.length === 0 ? "No credentials" : `Credentials: ${names.join(" or ")}`;
}

function parameterTable(operation: JsonObject): string {
  const parameters = (Array.isArray(operation["parameters"]) ? operation["parameters"] : []).filter(isObject);
  if (parameters.length === 0) return "";
  const rows = parameters.map(
    (one) =>
      `<tr><td><code>${escape(String(one["name"]))}</code>${one["required"] === true ? " *" : ""}</td><td>${escape(String(one["in"]))}</td><td><code>${notation(one["schema"])}</code></td><td>${inline(descriptionOf(one))}</td></tr>`,
  );
  return `<table><thead><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function descriptionOf(parameter: JsonObject): string {
  const { schema } = parameter;
  return String(parameter["description"] ?? (isObject(schema) ? (schema["description"] ?? "") : ""));
}

function body(operation: JsonObject): string {
  const schema = contentSchema(operation["requestBody"]);
  return schema === null ? "" : `<h4>Body</h4><pre>${notation(schema)}</pre>`;
}

function replies(operation: JsonObject): string {
  const answers = Object.entries(isObject(operation["responses"]) ? operation["responses"] : {});
  return answers
    .map(([status, answer]) => {
      const schema = Number(status) < 400 ? contentSchema(answer) : null;
      const text = isObject(answer) ? String(answer["description"] ?? "") : "";
      return `<h4>${escape(status)} <small>${inline(text)}</small></h4>${schema === null ? "" : `<pre>${notation(schema)}</pre>`}`;
    })
    .join("");
}

function contentSchema(holder: unknown): unknown {
  const content = isObject(holder) ? holder["content"] : undefined;
  const json = isObject(content) ? content["application/json"] : undefined;
  return isObject(json) ? (json["schema"] ?? null) : null;
}

function schemaBlock([name, schema]: [string, unknown]): string {
  const about = isObject(schema) ? String(schema["description"] ?? "") : "";
  return `<article id="schema-${escape(name)}"><h3><code>${escape(name)}</code></h3>${paragraphs(about)}<pre>${notation(schema)}</pre></article>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

const inline = (text: string): string => escape(text).replaceAll(/`([^`]+)`/g, "<code>$1</code>");
const paragraphs = (text: string): string =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => `<p>${inline(line)}</p>`)
    .join("");
