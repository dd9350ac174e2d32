package surveylake;

import io.delta.storage.HadoopFileSystemLogStore;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.util.Arrays;
import java.util.Iterator;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A log store for Delta tables on S3: the store itself creates a commit only if that version is absent (If-None-Match), so two
 * drivers never both write one version. A file system that cannot create so is refused; there is no fallback.
 *
 * Compiled by Janino (log_store.py), which knows no inferred types: hence the raw Iterator.
 */
public class CreateOnceLogStore extends HadoopFileSystemLogStore {
    private static final String ONCE = "fs.option.create.conditional.overwrite";

    public CreateOnceLogStore(Configuration conf) {
        super(conf);
    }

    public void write(Path path, Iterator actions, Boolean overwrite, Configuration conf) throws IOException {
        FileSystem fs = path.getFileSystem(conf);
        byte[] bytes = lines(actions);
        FSDataOutputStreamBuilder builder = fs.createFile(path);
        builder.overwrite(overwrite.booleanValue());
        if (!overwrite.booleanValue()) {
            if (!fs.hasPathCapability(path, ONCE)) {
                throw new IOException(path + ": this file system cannot create a file only if it is absent (" + ONCE + ")");
            }
            builder.must(ONCE, true);
        }
        try {
            // Closing publishes what was written, so it is left out, not in a finally, when writing fails.
            FSDataOutputStream out = (FSDataOutputStream) builder.build();
            out.write(bytes);
            out.close();
        } catch (IOException failure) {
            if (overwrite.booleanValue() || !fs.exists(path)) {
                throw failure;
            }
            // Equal bytes are this very commit, of which the store's answer was lost: each holds an id of its own.
            if (!Arrays.equals(bytes, content(fs, path))) {
                FileAlreadyExistsException exists = new FileAlreadyExistsException(path.toString());
                exists.initCause(failure);
                throw exists;
            }
        }
    }

    public Boolean isPartialWriteVisible(Path path, Configuration conf) {
        return Boolean.FALSE;
    }

    private static byte[] lines(Iterator actions) {
        StringBuilder text = new StringBuilder();
        while (actions.hasNext()) {
            text.append((String) actions.next()).append('\n');
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] content(FileSystem fs, Path path) throws IOException {
        FSDataInputStream in = fs.open(path);
        try {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            byte[] buffer = new byte[65536];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                bytes.write(buffer, 0, count);
            }
            return bytes.toByteArray();
        } finally {
            in.close();
        }
    }
}
