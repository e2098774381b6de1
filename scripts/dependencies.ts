/** Every package that the project imports, so that `scripts/setup.sh` can fetch all of them at once. */
import "@std/assert";
import "@std/cli/parse-args";
import "@std/fmt/bytes";
import "@std/fmt/colors";
import "fast-check";
