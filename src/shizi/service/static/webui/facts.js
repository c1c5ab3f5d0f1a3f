// Facts: what the service told this page of itself: addresses, limits, formats.

export const facts = JSON.parse(document.body.dataset.facts);

export const takesJobs = facts.jobBytes > 0;
export const mostBytes = Math.max(facts.maxBytes, facts.jobBytes ?? 0);
