/** What is to be said of a rule that no test proves. */
export const RULE_EXCEPTIONS: Readonly<Record<string, string>> = {};
