BEGIN TRANSACTION;
CREATE TABLE cells (
    unit INTEGER NOT NULL REFERENCES units(id) ON DELETE CASCADE,
    draw INTEGER NOT NULL, classifier TEXT NOT NULL,
    fit_seconds REAL NOT NULL, error TEXT NOT NULL,
    PRIMARY KEY (unit, draw, classifier)
) WITHOUT ROWID;
INSERT INTO "cells" VALUES(1,0,'logistic-regression',7.70902199838019441813e-03,'');
INSERT INTO "cells" VALUES(2,0,'logistic-regression',3.34098999883281067013e-03,'');
CREATE TABLE draws (
    unit INTEGER NOT NULL REFERENCES units(id) ON DELETE CASCADE,
    draw INTEGER NOT NULL,
    content_hash TEXT NOT NULL,            -- of the real rows: the same for every method
    n_train INTEGER NOT NULL, n_generated INTEGER NOT NULL, n_test INTEGER NOT NULL,
    seconds REAL NOT NULL,                 -- the method's own cost
    PRIMARY KEY (unit, draw)
) WITHOUT ROWID;
INSERT INTO "draws" VALUES(1,0,'a7813702eab694d45f11aa1f11a32eed80df45fcaa3eb6fb445c721648142112',82,0,45,0.0);
INSERT INTO "draws" VALUES(2,0,'a7813702eab694d45f11aa1f11a32eed80df45fcaa3eb6fb445c721648142112',82,23,45,4.65724999958183616399e-03);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "meta" VALUES('schema_version','1');
CREATE TABLE predictions (
    unit INTEGER NOT NULL REFERENCES units(id) ON DELETE CASCADE,
    draw INTEGER NOT NULL, classifier TEXT NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (unit, draw, classifier)
);
INSERT INTO "predictions" VALUES(1,0,'logistic-regression',X'785E636640038CA880899109088004886664224931CB913F876B8E341F997B580D48D71D2E3D2C7938FBD0CA83A70FBD3B2C71C4C355DAA5C4F98BB3A87DA3CB79172D3776E77B4E135D95DC645D945D16DA897BB8383F74FBEAEAED76C7F3B0DB4D172DF7CDAE975D9FB87D77FBE266E536E9D4F653674EED3855766AF2A9E0D37EA7124E459C323FD575D2FED4C9533F4FDA3BB33972DBDC753C79E89343B163B4CB999D591B6A5DA638493A9CB46D3DC4EAA9EB60ECCEE8D1EDD6EDCDE42AE8EAE411E722E126E859E1F1CE8DD11D00ADC2533F');
INSERT INTO "predictions" VALUES(2,0,'logistic-regression',X'785E636640038CA88089910908800498662249F1CDC3370E671EA93D527C98E770CE91ECC34E871F1C7239547AB0FED0D5C32247DC5C595DAC9C37389FB6CB7039E1A2E1F6D9E998538EAB8A1B8B8BB84BBA1DB3C721A75D6E9B5D95DC4E7BAE759BEEF2C56D96EB32D7396E47DC2EBAF1BA359F5E75FAE0E9A5A7934ED79FD639A37FDAFBB4CB69E9D3B1A7744EEF397DF6D451E70C47339B7CA77B87A31C8F3B6E75D9BBFBF196DF2EFF9CD21D5ED82E383CCB739F03B34783878FBBB94FB3EB56D7A31EE75DCEBB6DF1FCE7B1D1FDA23B00F4665983');
CREATE TABLE run_exclusions (
    run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    method TEXT NOT NULL, dataset TEXT NOT NULL, scenario TEXT NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL
);
CREATE TABLE run_units (
    run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, key TEXT NOT NULL, position INTEGER NOT NULL,
    method TEXT NOT NULL, dataset TEXT NOT NULL, scenario TEXT NOT NULL, draws TEXT NOT NULL,
    PRIMARY KEY (run, key)
) WITHOUT ROWID;
INSERT INTO "run_units" VALUES(1,'2e1ec0b795b336e7865f681374d9bc2d0e2fe741e2e5d45c06fb50293e46f1e0',0,'none','iris','imbalance:count=12','[0]');
INSERT INTO "run_units" VALUES(1,'e838e1dc9a6d1c14c41e45aed629ef8e36ec3a829ce93bd56ec80041152a7617',1,'smote','iris','imbalance:count=12','[0]');
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, suite TEXT NOT NULL, definition TEXT NOT NULL UNIQUE,
    started TEXT NOT NULL, info TEXT NOT NULL
);
INSERT INTO "runs" VALUES(1,'old','6839a98c53f39f10a244ba3b65aa6d34c1507682320f9badb1c940cb4b92c36f','2026-11-21T08:09:42+0000','{"description": "", "seed": 0, "draws": 1, "test_fraction": 0.3, "folds": 0, "methods": [{"method": "none", "kind": "baseline", "role": "control", "family": "controls", "description": "The training rows as they are: the baseline."}, {"method": "smote", "kind": "augmenter", "role": "", "family": "neighbours", "description": "SMOTE; SMOTE-NC with mixed columns, SMOTEN with categorical ones only."}], "datasets": [{"dataset": "iris", "group": "bundled", "description": "Irises of three species described by their flowers", "classes": ["setosa", "versicolor", "virginica"], "n_rows": 150, "n_features": 4, "fresh": false}], "classifiers": ["logistic-regression"], "lower_is_better": ["brier", "log_loss", "calibration_error"], "command": "__main__.py run v1.toml --jobs 1 --store v1/s.sqlite"}');
CREATE TABLE scores (
    unit INTEGER NOT NULL REFERENCES units(id) ON DELETE CASCADE,
    draw INTEGER NOT NULL, classifier TEXT NOT NULL, metric TEXT NOT NULL, value REAL,
    PRIMARY KEY (unit, draw, classifier, metric)
) WITHOUT ROWID;
INSERT INTO "scores" VALUES(1,0,'logistic-regression','accuracy',9.1111111111111109384e-01);
INSERT INTO "scores" VALUES(1,0,'logistic-regression','auroc',9.86666666666666691831e-01);
INSERT INTO "scores" VALUES(1,0,'logistic-regression','average_precision',9.74786867186248073835e-01);
INSERT INTO "scores" VALUES(1,0,'logistic-regression','balanced_accuracy',9.1111111111111109384e-01);
INSERT INTO "scores" VALUES(1,0,'logistic-regression','brier',1.57680259128729377549e-01);
INSERT INTO "scores" VALUES(1,0,'logistic-regression','calibration_error',1.16138682502854626021e-01);
INSERT INTO "scores" VALUES(1,0,'logistic-regression','g_mean',9.01779742998413458288e-01);
INSERT INTO "scores" VALUES(1,0,'logistic-regression','log_loss',2.63851828613313965643e-01);
INSERT INTO "scores" VALUES(1,0,'logistic-regression','macro_f1',9.09502262443438902472e-01);
INSERT INTO "scores" VALUES(1,0,'logistic-regression','mcc',8.77124561397281454766e-01);
INSERT INTO "scores" VALUES(1,0,'logistic-regression','recall_0',1.0);
INSERT INTO "scores" VALUES(1,0,'logistic-regression','recall_1',1.0);
INSERT INTO "scores" VALUES(1,0,'logistic-regression','recall_2',7.33333333333333281522e-01);
INSERT INTO "scores" VALUES(1,0,'logistic-regression','recall_majority',1.0);
INSERT INTO "scores" VALUES(1,0,'logistic-regression','recall_minority',7.33333333333333281522e-01);
INSERT INTO "scores" VALUES(1,0,'logistic-regression','weighted_f1',9.09502262443438902472e-01);
INSERT INTO "scores" VALUES(2,0,'logistic-regression','accuracy',9.33333333333333348136e-01);
INSERT INTO "scores" VALUES(2,0,'logistic-regression','auroc',9.91111111111111164895e-01);
INSERT INTO "scores" VALUES(2,0,'logistic-regression','average_precision',9.84019607843137245062e-01);
INSERT INTO "scores" VALUES(2,0,'logistic-regression','balanced_accuracy',9.33333333333333237114e-01);
INSERT INTO "scores" VALUES(2,0,'logistic-regression','brier',1.09744577884515748245e-01);
INSERT INTO "scores" VALUES(2,0,'logistic-regression','calibration_error',1.00040953892544262626e-01);
INSERT INTO "scores" VALUES(2,0,'logistic-regression','dcr_ratio',5.13798450828682584656e-01);
INSERT INTO "scores" VALUES(2,0,'logistic-regression','exact_copies',0.0);
INSERT INTO "scores" VALUES(2,0,'logistic-regression','g_mean',9.28317766722555837155e-01);
INSERT INTO "scores" VALUES(2,0,'logistic-regression','log_loss',1.98955843796138120982e-01);
INSERT INTO "scores" VALUES(2,0,'logistic-regression','macro_f1',9.32659932659932633391e-01);
INSERT INTO "scores" VALUES(2,0,'logistic-regression','mcc',9.06060674538932797617e-01);
INSERT INTO "scores" VALUES(2,0,'logistic-regression','recall_0',1.0);
INSERT INTO "scores" VALUES(2,0,'logistic-regression','recall_1',1.0);
INSERT INTO "scores" VALUES(2,0,'logistic-regression','recall_2',0.8);
INSERT INTO "scores" VALUES(2,0,'logistic-regression','recall_majority',1.0);
INSERT INTO "scores" VALUES(2,0,'logistic-regression','recall_minority',0.8);
INSERT INTO "scores" VALUES(2,0,'logistic-regression','two_sample_accuracy',6.66666666666666629659e-01);
INSERT INTO "scores" VALUES(2,0,'logistic-regression','weighted_f1',9.32659932659932633391e-01);
CREATE TABLE truth (content_hash TEXT PRIMARY KEY, y_test BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO "truth" VALUES('a7813702eab694d45f11aa1f11a32eed80df45fcaa3eb6fb445c721648142112',X'785E636040018CA880091500000276002E');
CREATE TABLE units (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,              -- SHA-256 of all that decides the result
    method TEXT NOT NULL, dataset TEXT NOT NULL, scenario TEXT NOT NULL,
    draws TEXT NOT NULL,                   -- JSON list
    definitions TEXT NOT NULL,             -- JSON: what the key is made of
    status TEXT NOT NULL,                  -- 'done', or 'failed': at least one of its cells failed
    error TEXT NOT NULL, warnings TEXT NOT NULL,
    seconds REAL NOT NULL, work_seconds REAL NOT NULL, peak_memory_mb REAL NOT NULL,
    finished TEXT NOT NULL, host TEXT NOT NULL, environment TEXT NOT NULL
);
INSERT INTO "units" VALUES(1,'2e1ec0b795b336e7865f681374d9bc2d0e2fe741e2e5d45c06fb50293e46f1e0','none','iris','imbalance:count=12','[0]','{"harness": "8071a09ecbb0987f9474c8fa5ff6c307b502cf60d85c0d116344fdabff0430e9", "packages": "8450e170d73b1afcd927033f4006c48b51baf854490957574e9501b8466654f3", "classifier:logistic-regression": "2d0b5f92fc4306cb646a3da7c0d7796dafc620103ba6c923cc3beb48afc7a217", "method:none": "deeaa5e13a43e5fa79f5a2a4fd016dd109910bb31d176aeede6163b1993bbdb9", "dataset:iris": "f83d3c57ec07e4944e218af869ca9cccd49f7811237b007db886591c08807a81", "scenario:imbalance:count=12": "0c0a20c34308ca085886b386228612f7daccf61e514d8980bbcf3caf0041c9dd", "settings": "ee318dacb571812db33f2c49d1f3e0555d5225239a5c97a5b36a47ca0ea10b63"}','done','','[]',1.7223553000803804025e-02,7.70902199838019441813e-03,230.375,'2026-11-21T08:09:42+0000','vm','{"python": "3.11.7", "platform": "Linux-6.18.44-fc-v669-x86_64-with-glibc2.36", "augbench": "0.1.0", "imbalanced-learn": "0.14.2", "numpy": "2.4.6", "pandas": "2.3.3", "scikit-learn": "1.9.1", "scipy": "1.17.1"}');
INSERT INTO "units" VALUES(2,'e838e1dc9a6d1c14c41e45aed629ef8e36ec3a829ce93bd56ec80041152a7617','smote','iris','imbalance:count=12','[0]','{"harness": "8071a09ecbb0987f9474c8fa5ff6c307b502cf60d85c0d116344fdabff0430e9", "packages": "8450e170d73b1afcd927033f4006c48b51baf854490957574e9501b8466654f3", "classifier:logistic-regression": "2d0b5f92fc4306cb646a3da7c0d7796dafc620103ba6c923cc3beb48afc7a217", "method:smote": "ef37721aa340fcdb56f21b2f419b800994639db9976cc926b3e9423c991b1f9c", "dataset:iris": "f83d3c57ec07e4944e218af869ca9cccd49f7811237b007db886591c08807a81", "scenario:imbalance:count=12": "0c0a20c34308ca085886b386228612f7daccf61e514d8980bbcf3caf0041c9dd", "settings": "ee318dacb571812db33f2c49d1f3e0555d5225239a5c97a5b36a47ca0ea10b63"}','done','','[]',1.32652239990420639514e-02,8.00011299725156277418e-03,231.3671875,'2026-11-21T08:09:42+0000','vm','{"python": "3.11.7", "platform": "Linux-6.18.44-fc-v669-x86_64-with-glibc2.36", "augbench": "0.1.0", "imbalanced-learn": "0.14.2", "numpy": "2.4.6", "pandas": "2.3.3", "scikit-learn": "1.9.1", "scipy": "1.17.1"}');
CREATE VIEW results AS
    SELECT u.method, u.dataset, u.scenario, s.classifier, s.draw, s.metric, s.value, u.key
    FROM scores s JOIN units u ON u.id = s.unit;
COMMIT;