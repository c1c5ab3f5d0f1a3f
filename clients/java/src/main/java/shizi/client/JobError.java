// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

import java.util.Optional;

/** A page that could not be read, or a file whose pages could not be counted. */
public final class JobError {
    private final int file;
    private final Integer page;
    private final String error;
    private final String code;

    JobError(JsonObject json) {
        file = json.required("file", JsonObject::integer);
        page = json.nullable("page", JsonObject::integer);
        error = json.required("error", JsonObject::text);
        code = json.required("code", JsonObject::text);
    }

    public int file() {
        return file;
    }

    public Optional<Integer> page() {
        return Optional.ofNullable(page);
    }

    public String error() {
        return error;
    }

    public String code() {
        return code;
    }

    @Override
    public String toString() {
        return "JobError[" + "file=" + file + ", "
            + "page=" + page + ", "
            + "error=" + error + ", "
            + "code=" + code + "]";
    }
}
