// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

/** A job was cancelled, if it was not over, and forgotten. */
public final class DeletedJob {
    private final String id;
    private final String was;
    private final String requestId;

    DeletedJob(JsonObject json) {
        id = json.required("id", JsonObject::text);
        was = json.required("was", JsonObject::text);
        requestId = json.required("request_id", JsonObject::text);
    }

    public String id() {
        return id;
    }

    public String was() {
        return was;
    }

    public String requestId() {
        return requestId;
    }

    @Override
    public String toString() {
        return "DeletedJob[" + "id=" + id + ", "
            + "was=" + was + ", "
            + "requestId=" + requestId + "]";
    }
}
