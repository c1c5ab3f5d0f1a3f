// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

/** One test of a field. */
public final class Check {
    private final String name;
    private final boolean passed;
    private final String detail;

    Check(JsonObject json) {
        name = json.required("name", JsonObject::text);
        passed = json.required("passed", JsonObject::truth);
        detail = json.required("detail", JsonObject::text);
    }

    public String name() {
        return name;
    }

    public boolean passed() {
        return passed;
    }

    public String detail() {
        return detail;
    }

    @Override
    public String toString() {
        return "Check[" + "name=" + name + ", "
            + "passed=" + passed + ", "
            + "detail=" + detail + "]";
    }
}
