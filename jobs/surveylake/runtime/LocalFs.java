package surveylake;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumFs;
import org.apache.hadoop.fs.DelegateToFileSystem;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FsConstants;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;

/**
 * Hadoop's LocalFs, without a process for each question. Where Hadoop has no native library, as in PySpark, it starts `readlink`
 * to learn whether a file is a link, several times per rename, and `chmod` for each new file. Java can do both itself.
 * Spark's checkpoints and Delta's logs are written by this class, and data files by Checked, its counterpart as a FileSystem.
 *
 * Links, folders and file systems without POSIX permissions are left to Hadoop. Compiled by Janino (java_classes.py).
 */
public class LocalFs extends ChecksumFs {
    LocalFs(URI uri, Configuration conf) throws IOException, URISyntaxException {
        super(new Raw(conf));
    }

    /** Hadoop's LocalFileSystem, likewise. */
    public static class Checked extends LocalFileSystem {
        public Checked() {
            super(new LocalFiles());
        }
    }

    /** What is below the checksums of LocalFs; RawLocalFs itself takes no other file system. */
    private static class Raw extends DelegateToFileSystem {
        Raw(Configuration conf) throws IOException, URISyntaxException {
            super(FsConstants.LOCAL_FS_URI, new LocalFiles(), conf, FsConstants.LOCAL_FS_URI.getScheme(), false);
        }

        public int getUriDefaultPort() {
            return -1;
        }

        public boolean isValidName(String name) {
            return true;
        }
    }

    private static class LocalFiles extends RawLocalFileSystem {
        public FileStatus getFileLinkStatus(Path path) throws IOException {
            boolean isLink = Files.isSymbolicLink(pathToFile(path).toPath());
            return isLink ? super.getFileLinkStatus(path) : getFileStatus(path);
        }

        public void setPermission(Path path, FsPermission permission) throws IOException {
            java.nio.file.Path file = pathToFile(path).toPath();
            if (permission.getStickyBit() || !Files.isRegularFile(file)) {
                super.setPermission(path, permission);
                return;
            }
            String text = permission.getUserAction().SYMBOL + permission.getGroupAction().SYMBOL
                + permission.getOtherAction().SYMBOL;
            try {
                Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(text));
            } catch (UnsupportedOperationException notPosix) {
                super.setPermission(path, permission);
            }
        }
    }
}
