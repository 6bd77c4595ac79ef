/** Folds for the tests: each line in is `{project_id, article_id, rows}`, each line out the state as JSON. */
import { createInterface } from "node:readline";
import { fold } from "../briefworks/static/fold.js";

for await (const line of createInterface({ input: process.stdin })) {
  const { project_id, article_id, rows } = JSON.parse(line);
  console.log(JSON.stringify(fold(project_id, article_id, rows)));
}
