/** The shapes of the stream; made by docs/stream_schema.py out of briefworks/shapes.py. */
export type RunStarted = {
  v: 1;
  keyword: string;
  persona: string;
  language: string;
  market: string;
  target_words: number;
  parent_run_id: string | null;
};
export type ResearchProgress = {
  stage: "serp" | "pages" | "entities";
  done: number;
  of: number;
  note: string;
};
export type Score = {
  total: number;
  parts: Record<string, number>;
  unknown: string[];
  missing: string[];
};
export type Page = {
  source_id: string;
  url: string;
  title: string;
  position: number;
  snapshot_id: string | null;
  note: string;
  words: number;
  headings: string[];
  published_at: string | null;
  score: Score | null;
  commands?: string[];
  fetched_at?: string;
};
export type Entity = {
  name: string;
  kind: "term" | "entity";
  pages: string[];
  mentions: number;
};
export type Usage = {
  calls: number;
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens: number;
  cache_write_tokens: number;
  usd: number | null;
};
export type ScoreCheck = {
  spearman: number;
  pages: number;
};
export type Research = {
  v: 1;
  keyword: string;
  provider: string;
  fetched_at: string;
  pages: Page[];
  questions: string[];
  related: string[];
  entities: Entity[];
  usage: Usage;
  score_check?: ScoreCheck;
};
export type Thinking = {
  since_ms: number;
};
export type Token = {
  text: string;
  paragraph?: number;
};
export type SectionPlan = {
  n: number;
  heading: string;
  purpose: string;
  points: string[];
  questions: string[];
  entities: string[];
  sources: string[];
  words: number;
};
export type Gap = {
  kind: "entity" | "question" | "source" | "words" | "job";
  what: string;
  weight: number;
};
export type Brief = {
  v: 1;
  title: string;
  angle: string;
  reader: string;
  meta_description: string;
  outline: SectionPlan[];
  gaps: Gap[];
  usage: Usage;
  intent?: "informational" | "how-to" | "commercial" | "transactional" | "navigational";
  intent_why?: string;
};
export type ReviewWaiting = {
  round: number;
  brief: Brief;
  until_at: string;
};
export type ReviewDone = {
  round: number;
  action: "approve" | "edit" | "reject" | "timeout";
  remark: string;
  brief: Brief | null;
};
export type Unbacked = {
  section: number;
  sentence: string;
  facts: string[];
  cites: string[];
  outcome: "rewritten" | "removed";
};
export type Mended = {
  section: number;
  what: "talk" | "heading" | "placeholder" | "asked-again" | "said-twice" | "rewrite-refused";
  text: string;
};
export type Section = {
  n: number;
  heading: string;
  markdown: string;
  sources: string[];
  words: number;
  usage: Usage;
  unbacked?: Unbacked[];
  mended?: Mended[];
};
export type SectionDone = {
  n: number;
  section: Section;
};
export type Source = {
  number: number;
  source_id: string;
  url: string;
  title: string;
  fetched_at: string;
};
export type Draft = {
  v: 1;
  title: string;
  sections: Section[];
  sources: Source[];
  usage: Usage;
};
export type Finding = {
  section: number;
  paragraph: number;
  start: number;
  end: number;
  quote: string;
  rule: string;
  by: "linter" | "critic";
  why: string;
  weight: number;
  fixed: boolean;
};
export type Critique = {
  v: 1;
  round: number;
  findings: Finding[];
  usage: Usage;
};
export type Backing = {
  facts: number;
  unbacked: Unbacked[];
};
export type RuleTells = {
  before: number;
  after: number;
};
export type Scorecard = {
  v: 1;
  measures: Record<string, number | null>;
  outside: string[];
  rules_version: string;
};
export type Provenance = {
  v: 1;
  models: string[];
  persona: string;
  search: string;
  begun_at: string;
  finished_at: string;
  versions: Record<string, string>;
};
export type Polished = {
  v: 1;
  title: string;
  meta_description: string;
  sections: Section[];
  sources: Source[];
  markdown: string;
  words: number;
  findings: Finding[];
  tells_before: number;
  tells_after: number;
  complete: boolean;
  stopped_by: "" | "budget" | "finish-now";
  usage: Usage;
  backing?: Backing;
  tells_by_rule?: Record<string, RuleTells>;
  scores?: Scorecard;
  mended?: Mended[];
  provenance?: Provenance;
  disclosure?: string;
};
export type RunFailed = {
  code: string;
  step: string;
  message: string;
  hint: string;
  retriable: boolean;
};
export type RunCancelled = {
  by: "user" | "engine";
  reason: string;
};
export type SectionState = {
  n: number;
  heading: string;
  take: number;
  status: "waiting" | "writing" | "done";
  markdown: string;
};
export type ArticleState = {
  project_id: string;
  article_id: string;
  run_id: string;
  seq: number;
  status: "running" | "review" | "done" | "failed" | "cancelled";
  phase: "research" | "brief" | "draft" | "polish";
  takes: Record<string, number>;
  brief_text: string;
  research: Research | null;
  brief: Brief | null;
  sections: SectionState[];
  polished: Polished | null;
  error: RunFailed | null;
  usage: Usage;
  started_at: string;
  updated_at: string;
};
export type EventData = {
  "run-started": RunStarted;
  "research-progress": ResearchProgress;
  "research-done": Research;
  "thinking": Thinking;
  "brief-token": Token;
  "brief-done": Brief;
  "review-waiting": ReviewWaiting;
  "review-done": ReviewDone;
  "draft-token": Token;
  "section-done": SectionDone;
  "draft-done": Draft;
  "polish-token": Token;
  "critique-done": Critique;
  "polish-done": Polished;
  "run-failed": RunFailed;
  "run-cancelled": RunCancelled;
};
export type Place = {
  project_id: string;
  seq: number;
  article_id: string;
  run_id: string;
  step: string;
  take: number;
  created_at: string;
};
/** A row; `row.event` tells the shape of `row.data`. */
export type StreamRow = {
  [E in keyof EventData]: Place & { event: E; data: EventData[E] };
}[keyof EventData];
export type PageOfRows = { rows: StreamRow[]; head: number; upto: number };
