// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

import java.util.List;
import java.util.Optional;

/** How a job stands. */
public final class Job {
    private final String id;
    private final String state;
    private final Integer pages;
    private final int pagesRead;
    private final int pagesFailed;
    private final List<JobFile> files;
    private final List<JobError> errors;
    private final String created;
    private final String ended;
    private final String webhook;
    private final String requestId;

    Job(JsonObject json) {
        id = json.required("id", JsonObject::text);
        state = json.required("state", JsonObject::text);
        pages = json.nullable("pages", JsonObject::integer);
        pagesRead = json.required("pages_read", JsonObject::integer);
        pagesFailed = json.required("pages_failed", JsonObject::integer);
        files = json.listOf("files", JsonObject.of(JobFile::new), true);
        errors = json.listOf("errors", JsonObject.of(JobError::new), true);
        created = json.required("created", JsonObject::text);
        ended = json.nullable("ended", JsonObject::text);
        webhook = json.nullable("webhook", JsonObject::text);
        requestId = json.required("request_id", JsonObject::text);
    }

    public String id() {
        return id;
    }

    public String state() {
        return state;
    }

    public Optional<Integer> pages() {
        return Optional.ofNullable(pages);
    }

    public int pagesRead() {
        return pagesRead;
    }

    public int pagesFailed() {
        return pagesFailed;
    }

    public List<JobFile> files() {
        return files;
    }

    public List<JobError> errors() {
        return errors;
    }

    public String created() {
        return created;
    }

    public Optional<String> ended() {
        return Optional.ofNullable(ended);
    }

    public Optional<String> webhook() {
        return Optional.ofNullable(webhook);
    }

    public String requestId() {
        return requestId;
    }

    @Override
    public String toString() {
        return "Job[" + "id=" + id + ", "
            + "state=" + state + ", "
            + "pages=" + pages + ", "
            + "pagesRead=" + pagesRead + ", "
            + "pagesFailed=" + pagesFailed + ", "
            + "files=" + files + ", "
            + "errors=" + errors + ", "
            + "created=" + created + ", "
            + "ended=" + ended + ", "
            + "webhook=" + webhook + ", "
            + "requestId=" + requestId + "]";
    }
}
