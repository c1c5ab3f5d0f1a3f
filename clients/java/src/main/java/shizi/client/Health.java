// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

/** The process answers. */
public final class Health {
    private final String version;
    private final String requestId;

    Health(JsonObject json) {
        version = json.required("version", JsonObject::text);
        requestId = json.required("request_id", JsonObject::text);
    }

    public String version() {
        return version;
    }

    public String requestId() {
        return requestId;
    }

    @Override
    public String toString() {
        return "Health[" + "version=" + version + ", "
            + "requestId=" + requestId + "]";
    }
}
