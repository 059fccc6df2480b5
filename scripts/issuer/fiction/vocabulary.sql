-- Words that made-up people, places and merchants are put together from.
CREATE TABLE synth.family_names AS
SELECT row_number() OVER () - 1 AS n, * FROM (VALUES
    ('佐藤', 'サトウ', 'SATO'), ('鈴木', 'スズキ', 'SUZUKI'), ('高橋', 'タカハシ', 'TAKAHASHI'), ('田中', 'タナカ', 'TANAKA'),
    ('伊藤', 'イトウ', 'ITO'), ('渡辺', 'ワタナベ', 'WATANABE'), ('山本', 'ヤマモト', 'YAMAMOTO'), ('中村', 'ナカムラ', 'NAKAMURA'),
    ('小林', 'コバヤシ', 'KOBAYASHI'), ('加藤', 'カトウ', 'KATO'), ('吉田', 'ヨシダ', 'YOSHIDA'), ('山田', 'ヤマダ', 'YAMADA'),
    ('佐々木', 'ササキ', 'SASAKI'), ('山口', 'ヤマグチ', 'YAMAGUCHI'), ('松本', 'マツモト', 'MATSUMOTO'), ('井上', 'イノウエ', 'INOUE'),
    ('木村', 'キムラ', 'KIMURA'), ('林', 'ハヤシ', 'HAYASHI'), ('斎藤', 'サイトウ', 'SAITO'), ('清水', 'シミズ', 'SHIMIZU'),
    ('山崎', 'ヤマザキ', 'YAMAZAKI'), ('森', 'モリ', 'MORI'), ('池田', 'イケダ', 'IKEDA'), ('橋本', 'ハシモト', 'HASHIMOTO'),
    ('阿部', 'アベ', 'ABE'), ('石川', 'イシカワ', 'ISHIKAWA'), ('髙﨑', 'タカサキ', 'TAKASAKI'), ('𠮷野', 'ヨシノ', 'YOSHINO'),
    ('長谷川', 'ハセガワ', 'HASEGAWA'), ('邊見', 'ヘンミ', 'HEMMI'), ('勅使河原', 'テシガワラ', 'TESHIGAWARA'), ('オコナー', 'オコナー', 'O''CONNOR')
) AS name (kanji, kana, roman);

CREATE TABLE synth.given_names AS
SELECT row_number() OVER () - 1 AS n, * FROM (VALUES
    ('太郎', 'タロウ', 'TARO'), ('花子', 'ハナコ', 'HANAKO'), ('翔太', 'ショウタ', 'SHOTA'), ('陽菜', 'ヒナ', 'HINA'),
    ('大輔', 'ダイスケ', 'DAISUKE'), ('美咲', 'ミサキ', 'MISAKI'), ('健一', 'ケンイチ', 'KENICHI'), ('さくら', 'サクラ', 'SAKURA'),
    ('拓海', 'タクミ', 'TAKUMI'), ('結衣', 'ユイ', 'YUI'), ('直樹', 'ナオキ', 'NAOKI'), ('彩', 'アヤ', 'AYA'),
    ('誠', 'マコト', 'MAKOTO'), ('恵', 'メグミ', 'MEGUMI'), ('蓮', 'レン', 'REN'), ('凛', 'リン', 'RIN'),
    ('隆', 'タカシ', 'TAKASHI'), ('由美子', 'ユミコ', 'YUMIKO'), ('悠斗', 'ユウト', 'YUTO'), ('葵', 'アオイ', 'AOI'),
    ('浩二', 'コウジ', 'KOJI'), ('真由美', 'マユミ', 'MAYUMI'), ('亮', 'リョウ', 'RYO'), ('久美子', 'クミコ', 'KUMIKO'),
    ('颯', 'ハヤテ', 'HAYATE'), ('莉子', 'リコ', 'RIKO'), ('一郎', 'イチロウ', 'ICHIRO'), ('節子', 'セツコ', 'SETSUKO'),
    ('健太', 'ケンタ', 'KENTA'), ('愛', 'アイ', 'AI'), ('ジョン', 'ジョン', 'JOHN'), ('マリア', 'マリア', 'MARIA')
) AS name (kanji, kana, roman);

CREATE TABLE synth.places AS
SELECT row_number() OVER () - 1 AS n, * FROM (VALUES
    ('060-0001', '北海道札幌市中央区北一条西'), ('980-0811', '宮城県仙台市青葉区一番町'), ('330-0854', '埼玉県さいたま市大宮区桜木町'),
    ('260-0013', '千葉県千葉市中央区中央'), ('100-0005', '東京都千代田区丸の内'), ('150-0043', '東京都渋谷区道玄坂'),
    ('160-0022', '東京都新宿区新宿'), ('192-0083', '東京都八王子市旭町'), ('220-0012', '神奈川県横浜市西区みなとみらい'),
    ('210-0007', '神奈川県川崎市川崎区駅前本町'), ('420-0852', '静岡県静岡市葵区紺屋町'), ('450-0002', '愛知県名古屋市中村区名駅'),
    ('600-8216', '京都府京都市下京区東塩小路町'), ('530-0001', '大阪府大阪市北区梅田'), ('542-0076', '大阪府大阪市中央区難波'),
    ('650-0021', '兵庫県神戸市中央区三宮町'), ('700-0024', '岡山県岡山市北区駅元町'), ('730-0031', '広島県広島市中区紙屋町'),
    ('760-0017', '香川県高松市番町'), ('812-0012', '福岡県福岡市博多区博多駅中央街'), ('860-0805', '熊本県熊本市中央区桜町'),
    ('892-0846', '鹿児島県鹿児島市加治屋町'), ('900-0015', '沖縄県那覇市久茂地'), ('920-0853', '石川県金沢市本町')
) AS place (postal_code, address);

-- Merchants: 20 trades in 24 places.
CREATE TABLE synth.merchants AS
SELECT p.n * 20 + t.n AS n, 'M' || lpad((p.n * 20 + t.n + 100001)::text, 6, '0') AS merchant_id,
       t.name || ' ' || substr(p.address, 1, 3) || '店' AS name, t.category, t.online
FROM (SELECT row_number() OVER () - 1 AS n, * FROM (VALUES
    ('影武者マート', '5411', false), ('みどりスーパー', '5411', false), ('駅前コンビニ', '5499', false), ('ひかり薬局', '5912', false),
    ('喫茶あさひ', '5814', false), ('ラーメン一番星', '5812', false), ('居酒屋とらのこ', '5813', false), ('まちの本屋', '5942', false),
    ('電器のまるたけ', '5732', false), ('スタジアム売店', '7941', false), ('ライブチケット窓口', '7922', true), ('ファンクラブ通販', '5699', true),
    ('配信ミュージック', '5815', true), ('ゲームストア', '5816', true), ('鉄道チャージ', '4111', false), ('タクシーこまどり', '4121', false),
    ('ガソリンなのはな', '5541', false), ('ホテルしおかぜ', '7011', false), ('クリニックふじ', '8011', false), ('電気料金', '4900', true)
) AS trade (name, category, online)) AS t CROSS JOIN synth.places AS p;

-- Who an applicant is, from the application number alone.
CREATE FUNCTION synth.person(who bigint) RETURNS TABLE (
    kanji text, kana text, roman text, birth_date date, email text, phone text, postal_code text, address text
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT f.kanji || ' ' || g.kanji, f.kana || ' ' || g.kana, g.roman || ' ' || f.roman,
           date '1946-01-01' + (synth.unit(synth.noise(who, 11), 0) * 21500)::integer,
           lower(g.roman) || '.' || translate(lower(f.roman), '''', '') || who
           || CASE synth.below(3, synth.noise(who, 12), 40) WHEN 0 THEN '@example.co.jp' WHEN 1 THEN '@example.com' ELSE '@Example.co.jp' END,
           synth.phone(synth.noise(who, 13)), p.postal_code,
           p.address || (1 + synth.below(9, synth.noise(who, 14), 0)) || '-' || (1 + synth.below(30, synth.noise(who, 14), 20))
           || CASE WHEN synth.below(2, synth.noise(who, 14), 40) = 0 THEN ' コーポ影 ' || (101 + synth.below(800, synth.noise(who, 15), 0)) || '号室' ELSE '' END
    FROM synth.family_names AS f, synth.given_names AS g, synth.places AS p
    WHERE f.n = synth.below(32, synth.noise(who, 12), 0) AND g.n = synth.below(32, synth.noise(who, 12), 20)
      AND p.n = synth.below(24, synth.noise(who, 15), 20)
$$;
