/*
 * Processes a test starts run other builds of the same sources (dist, or through tsx). Their coverage cannot be merged with
 * that of the test's own process without spoiling it, so they measure none. Imported for its effect.
 */
process.env['_TAPJS_PROCESSINFO_COVERAGE_'] = '0';
