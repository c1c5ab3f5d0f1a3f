// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

import java.util.Optional;

/** One file of a job; {@code pages} is not known until they are counted. */
public final class JobFile {
    private final String name;
    private final Integer pages;
    private final int pagesRead;
    private final int pagesFailed;

    JobFile(JsonObject json) {
        name = json.required("name", JsonObject::text);
        pages = json.nullable("pages", JsonObject::integer);
        pagesRead = json.required("pages_read", JsonObject::integer);
        pagesFailed = json.required("pages_failed", JsonObject::integer);
    }

    public String name() {
        return name;
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

    @Override
    public String toString() {
        return "JobFile[" + "name=" + name + ", "
            + "pages=" + pages + ", "
            + "pagesRead=" + pagesRead + ", "
            + "pagesFailed=" + pagesFailed + "]";
    }
}
