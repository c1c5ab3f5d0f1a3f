// The Swagger page: shows the service's own description; nothing is asked of any other host.
"use strict";

SwaggerUIBundle({
  url: document.body.dataset.document,
  dom_id: "#swagger",
  deepLinking: true,
  validatorUrl: null,
  tryItOutEnabled: true,
  presets: [SwaggerUIBundle.presets.apis],
});
