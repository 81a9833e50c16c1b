#include "train/folder.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static int name_files(struct tolk_training_folder *folder, struct tolk_error *error)
{
    folder->training = tolk_path_join(folder->path, "training");
    folder->model = tolk_path_join(folder->path, "model.safetensors");
    folder->card = tolk_path_join(folder->path, "README.md");
    if (folder->training != NULL) {
        folder->state = tolk_path_join(folder->training, "state.safetensors");
        folder->log = tolk_path_join(folder->training, "log.jsonl");
        folder->curves = tolk_path_join(folder->training, "curves.svg");
        folder->beginning = tolk_path_join(folder->training, "beginning");
    }
    if (folder->model == NULL || folder->card == NULL || folder->state == NULL ||
        folder->log == NULL || folder->curves == NULL || folder->beginning == NULL) {
        return tolk_error_set(error, "%s: out of memory", folder->path);
    }
    return 0;
}

static int take_lock(struct tolk_training_folder *folder, struct tolk_error *error)
{
    char *path = tolk_path_join(folder->training, "lock");
    if (path == NULL) {
        return tolk_error_set(error, "%s: out of memory", folder->path);
    }
    const int result = tolk_lock_take(&folder->lock, path, error);
    free(path);
    return result;
}

/* A training may write where it has a state, or was stopped before its first one, or is told to, or
 * where nothing lies that it would overwrite. */
static int check_owner(const struct tolk_training_folder *folder, bool restart,
                       struct tolk_error *error)
{
    static const char *const files[] = {
        "model.safetensors", "config.json", "generation_config.json",
        "source.spm",        "target.spm",  "tokenizer_config.json",
        "vocab.json",        "README.md",
    };
    if (restart || exists(folder->beginning) || exists(folder->state)) {
        return 0;
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *path = tolk_path_join(folder->path, files[i]);
        if (path == NULL) {
            return tolk_error_set(error, "%s: out of memory", folder->path);
        }
        const bool lies_there = exists(path);
        free(path);
        if (lies_there) {
            return tolk_error_set(error,
                                  "%s: expected no file %s, found one without the state of its "
                                  "training; give another folder, or --restart to overwrite it",
                                  folder->path, files[i]);
        }
    }
    return 0;
}

int tolk_training_folder_open(struct tolk_training_folder *folder, const char *path, bool restart,
                              struct tolk_error *error)
{
    *folder = (struct tolk_training_folder){.path = path, .lock = {-1}};
    if (name_files(folder, error) != 0 || check_owner(folder, restart, error) != 0 ||
        tolk_folder_make(path, error) != 0 || tolk_folder_make(folder->training, error) != 0 ||
        take_lock(folder, error) != 0) {
        tolk_training_folder_close(folder);
        return -1;
    }
    folder->resumes = exists(folder->state) && !restart;
    return 0;
}

static int remove_file(const char *path, struct tolk_error *error)
{
    if (unlink(path) != 0 && errno != ENOENT) {
        return tolk_error_errno(error, "%s: cannot remove", path);
    }
    return 0;
}

int tolk_training_folder_begin(const struct tolk_training_folder *folder, struct tolk_error *error)
{
    static const char note[] = "A training began here and has no state yet.\n";
    const char *const files[] = {folder->state, folder->model, folder->card, folder->log,
                                 folder->curves};
    if (tolk_file_write_atomic(folder->beginning, note, sizeof note - 1, error) != 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (remove_file(files[i], error) != 0) {
            return -1;
        }
    }
    return 0;
}

int tolk_training_folder_begun(const struct tolk_training_folder *folder, struct tolk_error *error)
{
    return remove_file(folder->beginning, error);
}

void tolk_training_folder_close(struct tolk_training_folder *folder)
{
    tolk_lock_release(&folder->lock);
    free(folder->training);
    free(folder->model);
    free(folder->card);
    free(folder->state);
    free(folder->log);
    free(folder->curves);
    free(folder->beginning);
    *folder = (struct tolk_training_folder){.lock = {-1}};
}
