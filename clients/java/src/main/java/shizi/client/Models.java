// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

import java.util.List;

/** The versions of the small recogniser. {@code serving} is read with, {@code current} is in force in the folder. */
public final class Models {
    private final String serving;
    private final String current;
    private final String problem;
    private final List<Model> versions;
    private final List<ModelChange> log;
    private final String requestId;

    Models(JsonObject json) {
        serving = json.required("serving", JsonObject::text);
        current = json.required("current", JsonObject::text);
        problem = json.required("problem", JsonObject::text);
        versions = json.listOf("versions", JsonObject.of(Model::new), true);
        log = json.listOf("log", JsonObject.of(ModelChange::new), true);
        requestId = json.required("request_id", JsonObject::text);
    }

    public String serving() {
        return serving;
    }

    public String current() {
        return current;
    }

    /** Why {@code current} is not read with; empty if it is. */
    public String problem() {
        return problem;
    }

    public List<Model> versions() {
        return versions;
    }

    public List<ModelChange> log() {
        return log;
    }

    public String requestId() {
        return requestId;
    }

    @Override
    public String toString() {
        return "Models[" + "serving=" + serving + ", "
            + "current=" + current + ", "
            + "problem=" + problem + ", "
            + "versions=" + versions + ", "
            + "log=" + log + ", "
            + "requestId=" + requestId + "]";
    }
}
